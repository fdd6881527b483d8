param([string]$Path, [long]$Offset, [int]$Length)
# A byte range of a file that another process may hold open for writing.
# Gives byte arrays of at most 256 KiB, then one table: the file's length, where the range began, this server's clock.
# No more than PowerShell 2.0 and .NET 3.5: an Exchange 2010 server may have no newer ones.
try {
    $stream = [IO.File]::Open($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)
} catch {
    throw $_.Exception.GetBaseException()
}
try {
    $total = $stream.Length
    $begin = [Math]::Min([Math]::Max($Offset, [long]0), $total)
    $left = [Math]::Min([long]$Length, $total - $begin)
    [void]$stream.Seek($begin, [IO.SeekOrigin]::Begin)
    while ($left -gt 0) {
        $chunk = [Array]::CreateInstance([byte], [int][Math]::Min([long]262144, $left))
        $read = $stream.Read($chunk, 0, $chunk.Length)
        if ($read -le 0) { break }
        if ($read -lt $chunk.Length) {
            $part = [Array]::CreateInstance([byte], $read)
            [Array]::Copy($chunk, $part, $read)
            $chunk = $part
        }
        , $chunk
        $left -= $read
    }
} finally {
    $stream.Close()
}
@{ Length = $total; Offset = $begin; Time = [DateTime]::UtcNow.ToString('o') }
