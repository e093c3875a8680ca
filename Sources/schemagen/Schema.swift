/// The versions of a message in which something exists, both ends included.
struct VersionRange: Equatable {
  var low: Int
  var high: Int

  func contains(_ other: VersionRange) -> Bool { low <= other.low && other.high <= high }

  func hull(with other: VersionRange) -> VersionRange {
    VersionRange(low: min(low, other.low), high: max(high, other.high))
  }
}

/// The type of a field, as the wire knows it.
indirect enum WireType: Equatable {
  case int8, int16, int32, int64, uint16, uint32, float64, bool, string, bytes, uuid, records
  /// An int16 whose field is named for an error code.
  case errorCode
  case array(WireType)
  case structure(String)

  /// The name of the struct that values, or elements, of this type are made of.
  var structureName: String? {
    switch self {
    case .array(let element): element.structureName
    case .structure(let name): name
    default: nil
    }
  }
}

struct Field {
  var name: String
  var type: WireType
  /// The versions that have the field.
  var versions: VersionRange
  /// The versions in which it may be null.
  var nullable: VersionRange?
  /// As written behind `=`.
  var defaultText: String?
  /// Where set, the field is a tagged one.
  var tag: Int?
  /// A string that keeps its int16 length in flexible versions too.
  var isNeverCompact = false
  let line: Int

  /// Where the schema names no versions, the field has those of what holds it.
  var hasOwnVersions = false
}

struct Structure {
  let name: String
  var fields: [Field]
  /// The versions in which the struct is used: what its fields' versions are measured against.
  var versions: VersionRange?
  let line: Int
}

struct Message {
  let name: String
  var about: String
  let versions: VersionRange
  let flexibleFrom: Int?
  /// Keys of records: the int16 in front of the key.
  var keyVersion: Int?
  /// Records of the metadata log: the int16 in front of the record.
  var recordType: Int?
  var fields: [Field]
  /// The structs of the message, in the order in which the schema defines them.
  var structures: [Structure]
  let line: Int

  func structure(named name: String) -> Structure? { structures.first { $0.name == name } }
}

struct API {
  let name: String
  let key: Int
  let request: Message
  let response: Message

  /// `listOffsets` for ListOffsets.
  var caseName: String { name.prefix(1).lowercased() + name.dropFirst() }
}

struct SchemaFile {
  /// The file's name without its ending.
  let name: String
  let path: String
  var api: API?
  var messages: [Message]

  /// Files of records are told from those of messages: both folders have a Metadata.schema.
  var swiftFileName: String { path.contains("/Records/") ? name + "Records" : name }
}

/// What is wrong with a schema, and where.
struct SchemaError: Error, CustomStringConvertible {
  let path: String
  let line: Int
  let message: String
  var description: String { "\(path):\(line): \(message)" }
}
