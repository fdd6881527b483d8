param([string]$Path, [long]$Offset, [int]$Length)
# A byte range of a file that another process may hold open for writing.
# Gives at most 256 KiB at a time, packed by gzip where this engine can, then one table: the file's length, where the
# range began, this server's clock, whether it is packed. Packing costs less than sending what it saves; the server is
# busy enough, so its own work goes first.
# No more than PowerShell 2.0 and .NET 3.5: an Exchange 2010 server may have no newer ones.
try {
    $stream = [IO.File]::Open($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)
} catch {
    throw $_.Exception.GetBaseException()
}
$thread = [Threading.Thread]::CurrentThread
$priority = $thread.Priority
try {
    $thread.Priority = [Threading.ThreadPriority]::BelowNormal
    $total = $stream.Length
    $begin = [Math]::Min([Math]::Max($Offset, [long]0), $total)
    $left = [Math]::Min([long]$Length, $total - $begin)
    [void]$stream.Seek($begin, [IO.SeekOrigin]::Begin)
    # New-Object would wrap what PowerShell 2.0 then refuses to hand on, and a script without commands runs anywhere.
    $constructor = [IO.Compression.GZipStream].GetConstructor(
        [Type[]]@([IO.Stream], [IO.Compression.CompressionMode], [bool])
    )
    $mode = [IO.Compression.CompressionMode]::Compress
    $packs = $true
    try {
        $constructor.Invoke([object[]]@([Activator]::CreateInstance([IO.MemoryStream]), $mode, $true)).Close()
    } catch {
        $packs = $false
    }
    $chunk = [Array]::CreateInstance([byte], 262144)
    while ($left -gt 0) {
        $read = $stream.Read($chunk, 0, [int][Math]::Min([long]262144, $left))
        if ($read -le 0) { break }
        $bytes = [Activator]::CreateInstance([IO.MemoryStream])
        if ($packs) {
            $gzip = $constructor.Invoke([object[]]@($bytes, $mode, $true))
            $gzip.Write($chunk, 0, $read)
            $gzip.Close()
        } else {
            $bytes.Write($chunk, 0, $read)
        }
        , $bytes.ToArray()
        $left -= $read
    }
} finally {
    $thread.Priority = $priority
    $stream.Close()
}
@{ Length = $total; Offset = $begin; Time = [DateTime]::UtcNow.ToString('o'); Packed = $packs }
