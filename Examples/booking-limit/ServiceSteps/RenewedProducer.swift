package import OttlaClient

/// A producer, and another one where the first can do nothing more.
///
/// Records are acknowledged by all in-sync replicas, and neither doubled nor reordered by retries: the defaults.
package actor RenewedProducer {
  private let configuration: ProducerConfiguration
  private var producer: Producer

  /// - Throws: `.invalidValue` where `bootstrap` names no broker.
  package init(bootstrap: String, clientId: String) throws(ClientError) {
    var configuration = ProducerConfiguration(bootstrapServers: bootstrap)
    configuration.clientId = clientId
    // Whoever waits for the acknowledgement has an end in sight, and tries again.
    configuration.deliveryTimeoutMs = 20_000
    configuration.firstContactTimeoutMs = 10_000
    producer = try Producer(configuration)
    self.configuration = configuration
  }

  /// Sends a record, and returns when it is acknowledged.
  package func send(_ record: ProducerRecord) async throws(ProducerError) -> DeliveryReport {
    let used = producer
    do throws(ProducerError) {
      return try await used.send(record)
    } catch {
      // The record itself is for the caller to send again: it knows whether that does any harm.
      if error.isFatal, used === producer, let other = try? Producer(configuration) { producer = other }
      throw error
    }
  }

  /// Lets what is on its way go out.
  package func close() async { try? await producer.close(within: .seconds(10)) }
}
