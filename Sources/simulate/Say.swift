internal import Foundation

/// Writes a line at once: what a process has said before it crashed counts.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
