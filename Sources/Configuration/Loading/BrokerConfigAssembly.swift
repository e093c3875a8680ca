// How a configuration is put together from what was set, and what must hold between properties.

/// What is wrong with the value of a property.
struct PropertyComplaint: Equatable {
  let name: String
  /// Completes "must be ...".
  let allowed: String
}

extension BrokerConfig {
  /// The configuration that `layers` make. Values that do not fit give way to the default.
  init(trusting layers: ConfigLayers) {
    self.init(layers: layers)
    var complaints: [PropertyComplaint] = []
    assemble(&complaints)
  }

  /// The configuration that `layers` make, and everything that is wrong with it, in a fixed order.
  static func checking(_ layers: ConfigLayers) -> (config: BrokerConfig, complaints: [PropertyComplaint]) {
    var config = BrokerConfig(layers: layers)
    var complaints: [PropertyComplaint] = []
    config.assemble(&complaints)
    return (config, complaints)
  }

  private mutating func assemble(_ complaints: inout [PropertyComplaint]) {
    for row in BrokerProperties.all {
      let (value, fits) = parsed(row)
      if !fits { complaints.append(PropertyComplaint(name: row.name, allowed: row.allowedDescription)) }
      row.assign(&self, value)
    }
    assembleFolders(&complaints)
    assembleConnectionLimits(&complaints)
    assembleListeners(&complaints)
    assembleCluster(&complaints)
    assembleTopicDefaults()
    compareLimits(&complaints)
  }

  /// The value in force of a row, and whether the value that was set fits.
  private func parsed(_ row: BrokerProperty) -> (value: ConfigValue?, fits: Bool) {
    let byDefault = row.defaultValue.flatMap(row.parse)
    guard let text = layers.text(of: row.name) else { return (byDefault, true) }
    guard let value = row.parse(text) else { return (byDefault, false) }
    return (value, true)
  }

  /// The text in force of a property; empty where there is none.
  func text(_ name: String) -> String {
    layers.text(of: name) ?? BrokerProperties.row(name)?.defaultValue ?? ""
  }

  private mutating func assembleFolders(_ complaints: inout [PropertyComplaint]) {
    let set = layers.text(of: "log.dirs") ?? layers.text(of: "log.dir")
    logDirs = ConfigValue.elements(of: set ?? text("log.dirs"))
    if logDirs.isEmpty || Set(logDirs).count != logDirs.count {
      let name = layers.text(of: "log.dirs") == nil ? "log.dir" : "log.dirs"
      complaints.append(PropertyComplaint(name: name, allowed: "a list of folders, each named once"))
    }
  }

  private mutating func assembleConnectionLimits(_ complaints: inout [PropertyComplaint]) {
    let name = "max.connections.per.ip.overrides"
    if let limits = ListenerSyntax.connectionLimits(text(name)) {
      maxConnectionsPerIpOverrides = limits
    } else {
      complaints.append(PropertyComplaint(name: name, allowed: "a list of address:limit"))
    }
  }

  private func compareLimits(_ complaints: inout [PropertyComplaint]) {
    if groupMinSessionTimeoutMs > groupMaxSessionTimeoutMs {
      complaints.append(
        PropertyComplaint(
          name: "group.min.session.timeout.ms",
          allowed: "at most group.max.session.timeout.ms (\(groupMaxSessionTimeoutMs))"))
    }
    if queuedMaxRequestBytes > 0, queuedMaxRequestBytes < Int64(socketRequestMaxBytes) {
      complaints.append(
        PropertyComplaint(
          name: "queued.max.request.bytes",
          allowed: "at least socket.request.max.bytes (\(socketRequestMaxBytes)), or -1"))
    }
    if topicDefaults.minCompactionLagMs > topicDefaults.maxCompactionLagMs {
      complaints.append(
        PropertyComplaint(
          name: "log.cleaner.min.compaction.lag.ms",
          allowed: "at most log.cleaner.max.compaction.lag.ms (\(topicDefaults.maxCompactionLagMs))"))
    }
  }
}
