internal import Effects
internal import Primitives

/// `append-time-checkpoint`: when, by the broker's clock, each segment got its first and its last batch. Kafka has no such
/// file (it asks the file's time, which a copy of the log loses) and ignores it. A hint: without it a segment counts as
/// appended to at the time of opening.
///
/// "1", how many, a line `baseOffset first last` each, and the CRC-32C of all that: times that a power cut mixed up would
/// let a segment go before it is due.
extension Log {
  private static var appendTimesName: String { "append-time-checkpoint" }

  func writeAppendTimes() throws(IOError) {
    var text = "1\n\(segments.count)\n"
    for segment in segments {
      let first = segment.firstAppendTime ?? segment.lastAppendTime
      text += "\(segment.baseOffset.value) \(first.milliseconds) \(segment.lastAppendTime.milliseconds)\n"
    }
    text += "\(Self.checksum(text))\n"
    try environment.writeUnsynced(path(Self.appendTimesName), Array(text.utf8))
  }

  func removeAppendTimes() throws(IOError) {
    let file = path(Self.appendTimesName)
    if environment.fileSystem.exists(file) { try environment.fileSystem.removeFile(file) }
  }

  private static func checksum(_ text: some StringProtocol) -> UInt32 {
    Array(text.utf8).withUnsafeBytes { CRC32C.checksum($0) }
  }

  /// Takes the times from the file. After a stop without order those of segments that reach beyond `trusted`, the recovery
  /// point, are not believed: the file may be of an end of the log that was lost, and another segment may begin there since.
  /// It is then made anew, for the next start would believe them.
  func loadAppendTimes(now: Timestamp, trustingUpTo trusted: Offset? = nil) throws(IOError) {
    var isOfALostEnd = false
    defer {
      if isOfALostEnd {
        try? removeAppendTimes()
        try? writeAppendTimes()
      }
    }
    for segment in segments {
      segment.lastAppendTime = now
      segment.firstAppendTime = segment.firstTimestamp.map { max(.none, min($0, now)) }
    }
    let file = path(Self.appendTimesName)
    guard environment.fileSystem.exists(file) else { return }
    let text = String(decoding: try environment.fileSystem.readAll(file), as: UTF8.self)
    let lines = text.split(separator: "\n")
    guard lines.count >= 3, lines[0] == "1", Int(lines[1]) == lines.count - 3,
      let checksum = lines.last.flatMap({ UInt32($0) }), let end = lines.dropLast().last?.endIndex,
      end < text.endIndex, Self.checksum(text[...end]) == checksum
    else { return }
    for (place, line) in lines.dropFirst(2).dropLast().enumerated() {
      let words = line.split(separator: " ")
      guard words.count == 3, let base = Int64(words[0]), let first = Int64(words[1]), let last = Int64(words[2]),
        first <= last, last <= now.milliseconds
      else { continue }
      let number = segmentNumber(of: Offset(base))
      if let trusted, endOffset(of: number) > trusted || Offset(base) >= trusted {
        isOfALostEnd = true
        continue
      }
      // The segment that was the last of all, or is it now, may have grown after the note.
      let mayHaveGrown = place == lines.count - 4 || number == segments.count - 1
      guard segments[number].baseOffset.value == base else {
        // A cleaning made one segment of several since: the last append of any of them is that of the new one.
        if !mayHaveGrown, segments[number].baseOffset.value < base {
          segments[number].lastAppendTime = max(segments[number].lastAppendTime, Timestamp(milliseconds: last))
        }
        continue
      }
      if !mayHaveGrown { segments[number].lastAppendTime = Timestamp(milliseconds: last) }
      if segments[number].byteCount > 0 { segments[number].firstAppendTime = Timestamp(milliseconds: first) }
    }
  }
}
