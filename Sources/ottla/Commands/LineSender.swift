import Client
import Glibc
import Primitives

/// Sends each line of standard input as one record.
final class LineSender {
  private let producer: Producer
  private let topic: String
  private let partition: Int32
  private let separator: [UInt8]
  private let headers: [(name: String, value: [UInt8]?)]
  private let emptyIsNull: Bool
  private var sentCount = 0
  /// Lines that could not even be queued, and why the last one could not.
  private var refusedCount = 0
  private var refusal = ""
  private var wasInterrupted = false
  private var hasWarned = false
  private var progress = Progress()

  /// A longer line ends the program: no broker takes such a record.
  private static let lineBytesMax = 256 << 20
  private static let readBytes = 256 << 10

  init(
    producer: Producer, topic: String, partition: Int32, separator: [UInt8],
    headers: [(name: String, value: [UInt8]?)], emptyIsNull: Bool
  ) {
    self.producer = producer
    self.topic = topic
    self.partition = partition
    self.separator = separator
    self.headers = headers
    self.emptyIsNull = emptyIsNull
  }

  /// Reads to the end of the input, or until Ctrl-C.
  func sendStandardInput() throws {
    let input = OutputBuffer(capacity: Self.readBytes * 2)
    while true {
      guard waitForInput() else { return }
      compact(input)
      input.reserve(Self.readBytes)
      let count = read(STDIN_FILENO, input.base + input.end, Self.readBytes)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count >= 0 else { throw CommandFailure("reading standard input: \(String(cString: strerror(errno)))") }
      if count == 0 {
        if !input.isEmpty { try send(line: input.bytes) }
        return
      }
      let searchFrom = input.count
      input.end += count
      input.consume(try sendLines(of: input.bytes, searchFrom: searchFrom))
      guard input.count <= Self.lineBytesMax else {
        throw CommandFailure("line \(sentCount + refusedCount + 1) is longer than \(Self.lineBytesMax) bytes")
      }
      progress.update { "\(sentCount) lines read, \(producer.tally.delivered) records acknowledged" }
    }
  }

  /// Moves what is left of the last read, the beginning of a line, to the front, so that the buffer stays small.
  private func compact(_ input: OutputBuffer) {
    guard input.start > 0 else { return }
    let count = input.count
    memmove(input.base, input.base + input.start, count)
    input.start = 0
    input.end = count
  }

  /// Serves acknowledgements until there is something to read; false when the user wants to stop.
  private func waitForInput() -> Bool {
    while true {
      if Interruption.hasCome() {
        wasInterrupted = true
        return false
      }
      producer.poll(timeoutMs: 0)
      warnIfUnreachable()
      var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      if poll(&entry, 1, 100) > 0 { return true }
    }
  }

  /// Sends the whole lines in `bytes`, whose first `searchFrom` bytes hold no line end; returns how many bytes they take.
  private func sendLines(of bytes: UnsafeRawBufferPointer, searchFrom: Int) throws -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    var start = 0
    var position = searchFrom
    while position < bytes.count, let found = memchr(base + position, 0x0a, bytes.count - position) {
      let end = UnsafeRawPointer(found) - base
      try send(line: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      start = end + 1
      position = start
    }
    return start
  }

  private func send(line: UnsafeRawBufferPointer) throws {
    var key: UnsafeRawBufferPointer?
    var value: UnsafeRawBufferPointer? = line
    if let cut = separatorPosition(in: line) {
      key = UnsafeRawBufferPointer(rebasing: line[..<cut])
      value = UnsafeRawBufferPointer(rebasing: line[(cut + separator.count)...])
    }
    if emptyIsNull {
      if key?.isEmpty == true { key = nil }
      if value?.isEmpty == true { value = nil }
    }
    do throws(ClientError) {
      if headers.isEmpty {
        try producer.send(topic: topic, partition: partition, key: key, value: value)
      } else {
        try producer.send(topic: topic, partition: partition, key: key, value: value, headers: headers)
      }
      sentCount += 1
    } catch {
      refusedCount += 1
      refusal = "\(error)"
    }
  }

  /// Where the separator first stands in `line`. memmem would be this, were it not kept for GNU programs.
  private func separatorPosition(in line: UnsafeRawBufferPointer) -> Int? {
    guard let first = separator.first, let base = line.baseAddress else { return nil }
    var position = 0
    while line.count - position >= separator.count,
      let found = memchr(base + position, Int32(first), line.count - position - separator.count + 1)
    {
      if memcmp(found, separator, separator.count) == 0 { return UnsafeRawPointer(found) - base }
      position = UnsafeRawPointer(found) - base + 1
    }
    return nil
  }

  /// Waits for the acknowledgements that are still to come.
  ///
  /// - Throws: `CommandFailure` when records were not delivered.
  func finish() throws {
    while producer.waiting > 0 {
      if Interruption.hasCome() { break }
      producer.poll(timeoutMs: 100)
      warnIfUnreachable()
      progress.update { "\(producer.tally.delivered) of \(sentCount) records acknowledged" }
    }
    progress.end()
    let tally = producer.tally
    let lost = sentCount - tally.delivered + refusedCount
    guard lost > 0 else {
      if wasInterrupted { standardError("stopped after \(tally.delivered) records\n") }
      return
    }
    let unknown = sentCount - tally.delivered - tally.failed
    var reasons: [String] = []
    if tally.failed > 0 { reasons.append(tally.summary) }
    if refusedCount > 0 { reasons.append("\(refusal) (\(refusedCount))") }
    if unknown > 0 { reasons.append("stopped before the broker answered (\(unknown))") }
    throw CommandFailure(
      "\(lost) of \(sentCount + refusedCount) records were not delivered: \(reasons.joined(separator: "; "))")
  }

  private func warnIfUnreachable() {
    guard producer.allBrokersDown, !hasWarned else { return }
    hasWarned = true
    progress.end()
    let reason = producer.lastReason.isEmpty ? "" : " (\(producer.lastReason))"
    standardError("ottla produce: no broker answers\(reason); still trying\n")
  }
}
