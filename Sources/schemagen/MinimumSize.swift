/// The fewest bytes a value can take on the wire, in any version: what a count of elements is held against.
struct MinimumSize {
  let message: Message

  /// - Parameter versions: the versions in which the value can occur.
  func of(_ type: WireType, in versions: VersionRange) -> Int {
    let sizes = (versions.low...versions.high).map { of(type, isNullable: false, at: $0) }
    return max(1, sizes.min() ?? 1)
  }

  private func of(_ type: WireType, isNullable: Bool, at version: Int) -> Int {
    let isFlexible = version >= message.flexibleFrom ?? .max
    switch type {
    case .int8, .bool: return 1
    case .int16, .uint16, .errorCode: return 2
    case .int32, .uint32: return 4
    case .int64, .float64: return 8
    case .uuid: return 16
    case .string: return isFlexible ? 1 : 2
    case .bytes, .records, .array: return isFlexible ? 1 : 4
    case .structure(let name): return isNullable ? 1 : of(name, at: version)
    }
  }

  private func of(_ structure: String, at version: Int) -> Int {
    let fields = message.structure(named: structure)?.fields ?? []
    let present = fields.filter { $0.tag == nil && $0.versions.low <= version && version <= $0.versions.high }
    let size = present.reduce(0) { $0 + of($1.type, isNullable: $1.nullable != nil, at: version) }
    return size + (version >= message.flexibleFrom ?? .max ? 1 : 0)
  }
}
