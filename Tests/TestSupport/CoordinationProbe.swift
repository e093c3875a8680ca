package import Cluster
package import Coordination
internal import KafkaProtocol
package import Primitives

/// A broker as far as its coordination service goes: takes in what it is told, and notes what breaks the contract.
package final class CoordinationProbe {
  package let id: BrokerID
  package let service: any CoordinationService

  package private(set) var image = ClusterImage()
  /// What was told as committed, by its offset; not what was in snapshots.
  package private(set) var records: [Int64: MetadataRecord] = [:]
  /// How many records each run of them had, by the offset of its first.
  package private(set) var runs: [Int64: Int] = [:]
  package private(set) var snapshotCount = 0
  package private(set) var commitCount = 0
  /// While it is registered.
  package private(set) var epoch: Int64?
  package private(set) var epochs: [Int64] = []
  /// While it is the controller.
  package private(set) var controllerEpoch: Int32?
  package private(set) var reigns: [Int32] = []
  /// How far the log was told when each of them began.
  package private(set) var reignStarts: [Int32: Offset] = [:]
  package private(set) var controller: (id: BrokerID, epoch: Int32)?
  package private(set) var present: [PresentBroker]?
  package private(set) var isLoaded = false
  package private(set) var isConnected: Bool?
  package private(set) var refusal: String?
  /// What could not be so, as often as it was read.
  package private(set) var doubts: [String] = []
  package private(set) var isClosed = false
  package private(set) var appended: [RequestToken: Offset] = [:]
  package private(set) var failed: [RequestToken: KafkaError] = [:]
  /// The append that was asked for and not answered.
  package private(set) var pending: RequestToken?
  /// What broke the contract.
  package private(set) var violations: [String] = []

  package init(id: BrokerID, service: any CoordinationService) {
    self.id = id
    self.service = service
  }

  package func append(_ records: [MetadataRecord], token: RequestToken) {
    pending = token
    service.append(records, token: token)
    poll()
  }

  /// Takes in what the service has to say.
  package func poll() {
    for event in service.poll() { take(event) }
  }

  private func take(_ event: CoordinationEvent) {
    if refusal != nil || isClosed, event != .closed { violations.append("\(event) after the end") }
    switch event {
    case .committed(let committed): take(committed)
    case .appended(let token, let lastOffset):
      answer(token)
      appended[token] = lastOffset
      if image.offset < lastOffset { violations.append("\(token) appended at \(lastOffset) before it was committed") }
    case .appendFailed(let token, let error):
      answer(token)
      failed[token] = error
    case .elected(let epoch):
      if !isLoaded, commitCount == 0, image.offset > Offset(-1) { violations.append("elected before the log was told") }
      if let last = reigns.last, epoch <= last { violations.append("epoch \(epoch) after \(last)") }
      if controllerEpoch != nil { violations.append("elected twice") }
      controllerEpoch = epoch
      reigns.append(epoch)
      reignStarts[epoch] = image.offset
    case .resigned:
      if controllerEpoch == nil { violations.append("resigned without being elected") }
      if let pending { violations.append("resigned while \(pending) was not answered") }
      controllerEpoch = nil
      present = nil
    case .controllerChanged(let id, let epoch): controller = (id, epoch)
    case .brokersPresent(let brokers):
      if controllerEpoch == nil { violations.append("told who is present without being the controller") }
      if brokers == present { violations.append("told the same brokers twice") }
      present = brokers
    case .registered(let epoch):
      if let last = epochs.last, epoch <= last { violations.append("broker epoch \(epoch) after \(last)") }
      self.epoch = epoch
      epochs.append(epoch)
    case .unregistered:
      if epoch == nil { violations.append("unregistered twice") }
      epoch = nil
    case .loaded:
      if isLoaded { violations.append("loaded twice") }
      isLoaded = true
    case .connectionChanged(let isConnected):
      if isConnected == self.isConnected { violations.append("the connection changed to what it was") }
      self.isConnected = isConnected
    case .doubted(let sentence): doubts.append(sentence)
    case .refused(let sentence): refusal = sentence
    case .closed: isClosed = true
    }
  }

  private func answer(_ token: RequestToken) {
    if pending != token { violations.append("\(token) was answered, asked was \(String(describing: pending))") }
    pending = nil
  }

  private func take(_ committed: CommittedRecords) {
    commitCount += 1
    if committed.isSnapshot {
      snapshotCount += 1
      image = ClusterImage()
    } else {
      if committed.firstOffset != image.nextOffset {
        violations.append("records from \(committed.firstOffset) behind \(image.offset)")
      }
      runs[committed.firstOffset.value] = committed.records.count
      for (distance, record) in committed.records.enumerated() {
        records[committed.firstOffset.value + Int64(distance)] = record
      }
    }
    committed.replay(into: &image)
  }
}

extension BrokerPresence {
  /// A broker that listens at one address, run number `run` of it.
  package static func sample(_ id: Int32, run: UInt64 = 1, data: UInt64? = nil) -> BrokerPresence {
    BrokerPresence(
      id: BrokerID(id), rack: id % 2 == 0 ? "rack" : nil,
      endpoints: [BrokerEndpoint(name: "PLAINTEXT", host: "host\(id)", port: 9092)],
      incarnation: UUID(high: UInt64(id), low: run), dataID: UUID(high: 7, low: data ?? UInt64(id)), lastRun: .killed)
  }
}

extension MetadataRecord {
  /// A record that says `value` under `name`.
  package static func note(_ name: String, _ value: String?) -> MetadataRecord {
    .config(ConfigRecord(resourceType: 4, resourceName: "", name: name, value: value))
  }
}
