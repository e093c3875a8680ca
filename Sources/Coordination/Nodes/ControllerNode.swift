internal import Primitives

/// The node `/controller`: Kafka's fields, and which election of which process made it.
struct ControllerNode: Equatable {
  var brokerID: BrokerID
  var controllerEpoch: Int32
  var incarnation: UUID

  func bytes(at time: Timestamp) -> [UInt8] {
    JSONValue.object(
      ("version", .integer(1)), ("brokerid", .integer(Int64(brokerID.value))),
      ("timestamp", .string("\(time.milliseconds)")), ("epoch", .integer(Int64(controllerEpoch))),
      ("incarnation", .string(incarnation.description))
    ).bytes
  }
}

extension ControllerNode {
  /// nil when the bytes are of nothing we write.
  init?(_ bytes: [UInt8]) {
    guard let json = JSONReader.read(bytes), let id = json["brokerid"]?.integer.flatMap({ Int32(exactly: $0) }),
      let epoch = json["epoch"]?.integer.flatMap({ Int32(exactly: $0) }),
      let incarnation = json["incarnation"]?.string.flatMap({ UUID($0) })
    else { return nil }
    self.init(brokerID: BrokerID(id), controllerEpoch: epoch, incarnation: incarnation)
  }
}

/// The node `/cluster/id`, in Kafka's form.
enum ClusterIDNode {
  static func bytes(_ id: String) -> [UInt8] {
    JSONValue.object(("version", .string("1")), ("id", .string(id))).bytes
  }

  /// nil when the bytes are of nothing that Kafka or we write.
  static func id(of bytes: [UInt8]) -> String? {
    guard let id = JSONReader.read(bytes)?["id"]?.string, !id.isEmpty, id.utf8.count <= 200 else { return nil }
    return id
  }
}

/// The node `/controller_epoch`: the number, as Kafka writes it.
enum ControllerEpochNode {
  static func bytes(_ epoch: Int32) -> [UInt8] { Array("\(epoch)".utf8) }

  /// nil when the bytes are no number.
  static func epoch(of bytes: [UInt8]) -> Int32? {
    guard bytes.count <= 11, let epoch = Int32(String(decoding: bytes, as: UTF8.self)), epoch >= 0 else { return nil }
    return epoch
  }
}
