/// Which environment variables are properties, and of which name.
enum EnvironmentNames {
  /// The property that a variable sets: `KAFKA_` taken off, in small letters, `___` for `-`, `__` for `_`, `_` for `.`.
  /// Nil for variables that are no property of the broker.
  static func property(_ variable: String) -> String? {
    guard variable.hasPrefix(prefix), variable.utf8.count > prefix.utf8.count, !isOfTheImage(variable) else {
      return nil
    }
    var name = ""
    var underscores = 0
    for character in variable.dropFirst(prefix.count).lowercased() {
      if character == "_" {
        underscores += 1
        continue
      }
      name += separators(underscores)
      underscores = 0
      name.append(character)
    }
    return name + separators(underscores)
  }

  private static let prefix = "KAFKA_"

  private static func separators(_ underscores: Int) -> String {
    let rest = ["", ".", "_"][underscores % 3]
    return String(repeating: "-", count: underscores / 3) + rest
  }

  /// True for what container images use for themselves and what a Kubernetes service named "kafka" leaves behind.
  private static func isOfTheImage(_ variable: String) -> Bool {
    exact.contains(variable) || prefixes.contains(where: variable.hasPrefix)
  }

  private static let exact: Set<String> = [
    "KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_GC_LOG_OPTS", "KAFKA_DEBUG", "KAFKA_HOME",
    "KAFKA_VERSION", "KAFKA_SHA", "KAFKA_URL", "KAFKA_DIST", "KAFKA_COMMAND", "KAFKA_CREATE_TOPICS",
    "KAFKA_ADVERTISED_HOST_COMMAND", "KAFKA_PORT", "KAFKA_USER", "KAFKA_CLUSTER_ID", "KAFKA_MODE", "KAFKA_ROOT_LOGGER",
    "KAFKA_CLASSPATH", "KAFKA_CONF_DIR", "KAFKA_LOG_LEVEL", "KAFKA_START_TIMEOUT",
  ]

  private static let prefixes: [String] = [
    "KAFKA_JMX_", "KAFKA_LOG4J_", "KAFKA_TOOLS_LOG4J_", "KAFKA_SERVICE_", "KAFKA_PORT_", "KAFKA_DEBUG_",
    "KAFKA_JDK_", "KAFKA_GC_", "KAFKA_KRAFT_", "KAFKA_ENABLE_",
  ]
}
