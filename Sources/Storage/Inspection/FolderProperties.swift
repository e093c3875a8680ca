/// `meta.properties` as any broker may have written it: ours and Kafka's with KRaft are version 1, Kafka's with ZooKeeper
/// version 0.
enum FolderProperties {
  /// What is wrong with the text of the file; nil when it says whose folder it lies in.
  static func problem(in text: String) -> String? {
    var values: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") && !line.hasPrefix("!") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      values[trimmed(line[..<equals])] = trimmed(line[line.index(after: equals)...])
    }
    guard let version = values["version"], ["0", "1"].contains(version) else {
      return "its version is \(values["version"] ?? "missing"), not 0 or 1; without the file the broker does not start"
    }
    let node = version == "1" ? "node.id" : "broker.id"
    guard let id = values[node].flatMap({ Int32($0) }), id >= 0 else {
      return "it has no \(node), or one that is no number; the broker does not start with it"
    }
    if version == "1", values["cluster.id"]?.isEmpty ?? true {
      return "it has no cluster.id; the broker does not start with it"
    }
    return nil
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0 == " " || $0 == "\t" }
    guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
    return String(start[...last])
  }
}
