import Client

/// Options that several commands share.
enum CommonOptions {
  static var bootstrap: Option {
    .value("bootstrap", "b", as: "HOST:PORT[,...]", help: "brokers to ask first (default 127.0.0.1:9092)")
  }
  static var output: Option { .value("o", "output", as: "FORMAT", help: "text (default) or json") }
  static var json: Option { .flag("json", help: "the same as -o json") }
  static var timeout: Option {
    .value("timeout", as: "MS", help: "how long to wait for a broker's answer (default 10000)")
  }
  static var property: Option {
    .value("X", as: "NAME=VALUE", repeats: true, help: "any property of librdkafka, such as client.id=me")
  }
}

extension Arguments {
  /// Where brokers are.
  func bootstrap() throws(UsageError) -> [BrokerAddress] {
    let text = text("bootstrap") ?? "127.0.0.1:9092"
    guard let addresses = BrokerAddress.list(text) else {
      throw UsageError("--bootstrap takes HOST:PORT, or several with commas between, not '\(text)'")
    }
    return addresses
  }

  func wantsJSON() throws(UsageError) -> Bool {
    let wanted = try choice("o", among: ["text", "json"])
    return has("json") || wanted == "json"
  }

  /// A connection for administration to the first broker that answers.
  func adminClient() throws -> AdminClient {
    let timeoutMs = try integer("timeout", in: 1...3_600_000) ?? 10_000
    return try AdminClient(bootstrap: try bootstrap(), timeoutMs: timeoutMs)
  }

  /// What a producer or consumer is started with; properties given with -X come last, so that they win.
  func clientSettings(_ properties: [(name: String, value: String)] = []) throws(UsageError) -> ClientSettings {
    ClientSettings(bootstrap: try bootstrap(), properties: properties + (try pairs("X")))
  }
}
