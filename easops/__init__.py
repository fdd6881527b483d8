"""easops: find and cure Exchange ActiveSync overload over remote PowerShell."""
