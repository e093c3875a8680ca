import OttlaClient
import Testing

@Suite struct ProducerConfigurationTests {
  @Test func aPropertyThatIsNotThereIsNamed() {
    var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
    configuration.other["no.such"] = "1"
    #expect(throws: ClientError.unknownProperty(name: "no.such")) { try Producer(configuration) }
  }
}
