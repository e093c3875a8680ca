/// The page of the manual about configuration, written from the tables: docs/configuration.md.
package enum ConfigurationReference {
  /// The whole page.
  package static func markdown() -> String {
    let sections = [introduction, topics, brokers, differences, withoutEffect]
    return sections.joined(separator: "\n")
  }

  private static let introduction = """
    # Configuration

    This page is written from the property tables in Sources/Configuration. The names are Apache Kafka's; names that begin
    with `ottla.` are ours.

    A broker takes its properties from these places. Where several give the same one, the first in this list counts:

    1. flags of the command line
    2. `--set name=value`
    3. environment variables that begin with `KAFKA_`: the rest in small letters, `_` for `.`, `__` for `_`, `___` for
       `-`, so `KAFKA_NUM_PARTITIONS=3` is `num.partitions=3`
    4. the properties file, in the syntax of Java's `server.properties`
    5. the defaults below

    A value that cannot be used keeps the broker from starting; all such values are named at once. A name that is not
    known is named in a warning and ignored.

    *Changed* tells when a broker property may change: by *restart* only, at run time for each *broker*, or at run time
    for one broker or the whole *cluster*. Topic properties may change at any time. A topic that does not set a property
    takes the broker property that stands behind it.

    """

  private static var topics: String {
    var page = "## Topic properties\n\n| Name | Type | Default | Allowed | Behind it | |\n|---|---|---|---|---|---|\n"
    for row in TopicProperties.all where row.effect == .kept {
      let behind = row.behind.map { "`\($0.name)`" }.joined(separator: ", ")
      page += line([
        "`\(row.name)`", row.type.name, shown(row.defaultValue), row.allowed.description, behind, row.documentation,
      ])
    }
    return page
  }

  private static var brokers: String {
    var page = "## Broker properties\n"
    for (title, rows) in BrokerProperties.groups {
      let kept = rows.filter { $0.effect == .kept }.sorted { $0.name < $1.name }
      guard !kept.isEmpty else { continue }
      page += "\n### \(title)\n\n| Name | Type | Default | Allowed | Changed | |\n|---|---|---|---|---|---|\n"
      for row in kept {
        page += line([
          "`\(row.name)`", row.type.name, shown(row.defaultValue), row.allowed.description, changed(row),
          row.documentation,
        ])
      }
    }
    return page
  }

  private static var differences: String {
    var page = """
      ## Defaults that are not Kafka's

      Every limit is finite here, and a broker that is merely started keeps to its own machine.

      | Name | Default | Kafka's default |
      |---|---|---|

      """
    for row in BrokerProperties.all {
      guard let kafkaDefault = row.kafkaDefault else { continue }
      page += line(["`\(row.name)`", shown(row.defaultValue), kafkaDefault])
    }
    return page
  }

  private static var withoutEffect: String {
    var page = """
      ## Properties without effect

      Kafka knows these. They are accepted, checked for their type (some for their range too) and told by DescribeConfigs,
      so that configurations and tools made for Kafka work, but nothing here acts on them yet. A broker that starts with
      another value than the default says so.

      ### Topics

      | Name | Type | Default | |
      |---|---|---|---|

      """
    for row in TopicProperties.all where row.effect == .echoed {
      page += line(["`\(row.name)`", row.type.name, shown(row.defaultValue), row.documentation])
    }
    for (title, rows) in BrokerProperties.groups {
      let echoed = rows.filter { $0.effect == .echoed }.sorted { $0.name < $1.name }
      guard !echoed.isEmpty else { continue }
      page += "\n### \(title)\n\n| Name | Type | Default | |\n|---|---|---|---|\n"
      for row in echoed {
        page += line(["`\(row.name)`", row.type.name, shown(row.defaultValue), row.documentation])
      }
    }
    return page
  }

  private static func shown(_ defaultValue: String?) -> String {
    guard let defaultValue else { return "none" }
    return defaultValue.isEmpty ? "empty" : "`\(defaultValue)`"
  }

  /// When a broker property may change, in a word.
  private static func changed(_ row: BrokerProperty) -> String {
    if BrokerConfig.fixedAtStart.contains(row.name) { return "restart" }
    return switch row.update {
    case .readOnly: "restart"
    case .perBroker: "broker"
    case .clusterWide: "cluster"
    }
  }

  private static func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
}
