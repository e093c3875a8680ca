package import Configuration

extension ClusterImage {
  /// What a broker that started with `config` works by: the dynamic configs of this image on top, its own over those of
  /// all brokers (KIP-226). Parses every property: call it when broker configs changed, not for each request.
  package func effectiveConfig(of config: BrokerConfig) -> BrokerConfig {
    let ofAll = configs(for: .brokerDefault)
    let ofThis = configs(for: .broker(config.nodeId))
    return config.applying(dynamicBroker: ofThis, dynamicDefault: ofAll)
  }
}
