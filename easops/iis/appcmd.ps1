param([string[]]$Arguments)
# Runs appcmd.exe with these arguments, each as one. Gives its lines as text, then one table: its exit code.
# No more than PowerShell 2.0: an Exchange 2010 server may have no newer one, and no WebAdministration module.
& "$env:windir\system32\inetsrv\appcmd.exe" $Arguments 2>&1 | ForEach-Object { "$_" }
@{ ExitCode = $LASTEXITCODE }
