import CLinux
import Client
import Configuration
import Effects
import Glibc
import Observability
import Runtime
import Synchronization
import ZooKeeper

func serveCommand() -> Command {
  Command(
    "serve", "run a broker",
    options: [
      .value("config", as: "FILE", help: "a server.properties file; its names are Kafka's"),
      .value("data-dir", as: "DIR", help: "where everything is kept (default ./ottla-data)"),
      .value(
        "listen", as: "HOST:PORT", help: "where clients connect (default 127.0.0.1:9092); port 0 takes a free one"),
      .pairs("set", help: "any property, over the environment and the file"),
      .flag("verbose", "v", help: "log more"),
    ],
    examples: [
      ("ottla serve", "a broker on 127.0.0.1:9092, its data in ./ottla-data"),
      ("ottla serve --data-dir /var/lib/ottla --listen 0.0.0.0:9092", "reachable from other machines"),
      ("ottla serve --config server.properties --set num.partitions=6", "a file, and one property over it"),
      (
        "ottla serve --set node.id=2 --set zookeeper.connect=127.0.0.1:2181/ottla --listen 127.0.0.1:9093 --data-dir data-2",
        "one broker of a cluster"
      ),
      ("KAFKA_AUTO_CREATE_TOPICS_ENABLE=false ottla serve", "a property from the environment"),
    ],
    run: serve)
}

private func serve(_ arguments: Arguments) throws {
  var flags: [(name: String, value: String)] = []
  if let directory = arguments.text("data-dir") { flags.append((name: "log.dirs", value: directory)) }
  if let address = arguments.text("listen") { flags.append((name: "listeners", value: "PLAINTEXT://\(address)")) }
  let logger = Logger(sink: StandardErrorLog(), levelMin: arguments.has("verbose") ? .debug : .info)
  let sources = ConfigurationSources(
    file: try arguments.text("config").map(readFile), environment: processEnvironment(),
    settings: try arguments.pairs("set"), flags: flags)
  let loaded: ConfigurationSources.Loaded
  do throws(ConfigurationError) { loaded = try sources.load() } catch {
    let lines = error.badValues.map { "\n  \($0)" }
    throw UsageError("these properties cannot be used:\(lines.joined())")
  }
  for warning in loaded.warnings { logger.warning("\(warning)") }

  _ = ottla_raise_open_files()
  ottla_block_stop_signals()
  let failure = HaltReason()
  let broker = try RunningBroker(
    config: loaded.config, logger: logger,
    ensemble: { order, wake in
      ZooKeeperEnsemble(
        servers: order.servers, sessionTimeoutMs: order.sessionTimeoutMs, credentials: order.login, wake: wake)
    }, onHalt: failure.set)
  let ready = broker.addresses.map { address in
    let host = address.host.isEmpty ? "0.0.0.0" : address.host
    return "kafka=\(host.contains(":") ? "[\(host)]" : host):\(address.port)"
  }
  let output = StandardOutput()
  output.append(text: "ready \(ready.joined(separator: " "))\n")
  output.flush()
  let signal = ottla_wait_for_stop()
  let reason = failure.reason
  logger.info(reason.map { "stopping: \($0)" } ?? "stopping on \(signal == SIGINT ? "SIGINT" : "SIGTERM")")
  broker.stop()
  logger.info("stopped")
  if let reason { throw CommandFailure("the broker could not go on: \(reason)") }
}

/// Why a broker could not go on. Setting it ends the wait for a signal.
private final class HaltReason: Sendable {
  private let text = Mutex<String?>(nil)
  var reason: String? { text.withLock { $0 } }
  func set(_ reason: String) {
    text.withLock { $0 = $0 ?? reason }
    kill(getpid(), SIGTERM)
  }
}

/// The whole of a small text file.
private func readFile(_ path: String) throws -> String {
  do throws(IOError) {
    return String(decoding: try LinuxFileSystem().readAll(path), as: UTF8.self)
  } catch {
    throw CommandFailure("\(path) cannot be read: \(String(cString: strerror(error.errno)))")
  }
}

private func processEnvironment() -> [String: String] {
  var variables: [String: String] = [:]
  var entry = environ
  while let text = entry.pointee {
    let pair = String(cString: text)
    if let equals = pair.firstIndex(of: "=") {
      variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
    }
    entry += 1
  }
  return variables
}

/// Log lines on standard error: time, level, what happened.
private final class StandardErrorLog: LogSink {
  func write(_ level: LogLevel, _ line: String) {
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    let clock = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    standardError("\(date)T\(clock)Z \(level.name) \(line)\n")
  }
}
