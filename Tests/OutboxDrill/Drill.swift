internal import Glibc
internal import OttlaOutbox
internal import OttlaPostgreSQL
internal import OttlaSQL
internal import OttlaSQLite

/// A service that a test kills: `outbox-drill DATABASE LOG TARGET SEED`.
///
/// It raises counters in a database, each time with a message in the outbox; publishes the outbox to LOG, which stands for a topic:
/// a line that is in the file is acknowledged; and consumes LOG into the same database through the inbox. It ends by itself
/// when the counters have been raised TARGET times in all, and everything was published and consumed.
///
/// DATABASE is `sqlite:PATH` or `postgresql:PORT:DATABASE:USER:PASSWORD`.
@main struct Drill {
  static func main() async {
    do {
      let words = CommandLine.arguments.dropFirst()
      guard words.count == 4, let target = Int(words[3]), let seed = UInt64(words[4]) else {
        throw Mistake(description: "usage: outbox-drill DATABASE LOG TARGET SEED")
      }
      let service = Service(
        database: try database(words[1]), log: try TopicFile(path: words[2]), target: target, seed: seed)
      try await service.run()
    } catch {
      let sentence = Array("outbox-drill: \(error)\n".utf8)
      _ = write(STDERR_FILENO, sentence, sentence.count)
      exit(1)
    }
  }

  private static func database(_ words: String) throws -> SQLDatabase {
    let parts = words.split(separator: ":").map(String.init)
    switch parts.first {
    case "sqlite" where parts.count == 2:
      var options = SQLiteOptions(path: parts[1])
      options.busyMsMax = 30_000
      return .sqlite(options)
    case "postgresql" where parts.count == 5:
      guard let port = Int(parts[1]) else { break }
      return .postgreSQL(
        PostgreSQLOptions(port: port, database: parts[2], user: parts[3], password: parts[4]))
    default: break
    }
    throw Mistake(description: "\(words) is no database")
  }
}

struct Mistake: Error, CustomStringConvertible {
  let description: String
}
