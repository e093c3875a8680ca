internal import Glibc
internal import OttlaOutbox

/// A file that stands for a topic of one partition: a record is a line, "<id> <key> <value>".
struct TopicFile: Sendable {
  struct Record {
    let id: String
    let key: String
    let value: String
  }

  private let path: String
  private let descriptor: Int32

  init(path: String) throws {
    self.path = path
    descriptor = open(path, O_CREAT | O_APPEND | O_RDWR, 0o644)
    guard descriptor >= 0 else { throw Mistake(description: "cannot open \(path): errno \(errno)") }
  }

  /// One call, so that a kill strikes before or after the line.
  func append(_ message: OutboxMessage) throws {
    let key = String(decoding: message.key ?? [], as: UTF8.self)
    let line = Array("\(message.id) \(key) \(String(decoding: message.value ?? [], as: UTF8.self))\n".utf8)
    guard write(descriptor, line, line.count) == line.count else {
      throw Mistake(description: "cannot write: errno \(errno)")
    }
  }

  /// The records from `offset` on.
  func read(from offset: Int) throws -> [Record] {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &buffer, buffer.count, off_t(text.count))
      guard count >= 0 else { throw Mistake(description: "cannot read: errno \(errno)") }
      if count == 0 { break }
      text += buffer.prefix(count)
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst(offset).compactMap { line in
      let words = line.split(separator: " ")
      return words.count == 3 ? Record(id: String(words[0]), key: String(words[1]), value: String(words[2])) : nil
    }
  }
}
