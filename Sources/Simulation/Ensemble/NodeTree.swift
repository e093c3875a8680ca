internal import Coordination

/// A node as a server of the ensemble has it.
struct SimulatedNode {
  var data: [UInt8]
  /// The changes that made it, changed its data, and changed the names below it.
  let creation: Int64
  var change: Int64
  var childChange: Int64
  var version: Int32 = 0
  let owner: Int64
  /// Who alone may use it; nil for everybody.
  let login: String?
  var children: Set<String> = []

  var status: NodeStatus { NodeStatus(creation: creation, version: version, owner: owner) }
}

/// The nodes of an ensemble as of one change.
struct NodeTree {
  private(set) var nodes: [String: SimulatedNode] = [
    "/": SimulatedNode(data: [], creation: 0, change: 0, childChange: 0, owner: 0, login: nil)
  ]

  /// Who asks.
  struct Caller {
    let session: Int64
    let login: String?
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
  }

  private static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The node at `path`, if it is there and the caller may see it.
  func node(_ path: String, _ caller: Caller) throws(EnsembleError) -> SimulatedNode {
    guard let node = nodes[path] else { throw EnsembleError(.noNode) }
    guard node.login == nil || node.login == caller.login else { throw EnsembleError(.accessDenied) }
    return node
  }

  /// Carries out all of `writes` as the change `number`, or none of them. Returns the paths whose data changed, that came or
  /// went.
  mutating func apply(
    _ writes: [EnsembleWrite], number: Int64, _ caller: Caller
  ) throws(EnsembleError) -> [TreeEffect] {
    var undo: [(path: String, node: SimulatedNode?)] = []
    var effects: [TreeEffect] = []
    for (part, write) in writes.enumerated() {
      do throws(EnsembleError) {
        effects += try apply(write, number: number, caller, &undo)
      } catch {
        for (path, node) in undo.reversed() { nodes[path] = node }
        throw EnsembleError(error.reason, part: part)
      }
    }
    return effects
  }

  private mutating func apply(
    _ write: EnsembleWrite, number: Int64, _ caller: Caller, _ undo: inout [(path: String, node: SimulatedNode?)]
  ) throws(EnsembleError) -> [TreeEffect] {
    switch write {
    case .check(let path, let version):
      if try node(path, caller).version != version { throw EnsembleError(.badVersion) }
      return []
    case .create(let creation): return try create(creation, number: number, caller, &undo)
    case .set(let path, let data, let version):
      var node = try node(path, caller)
      if node.version != version { throw EnsembleError(.badVersion) }
      undo.append((path, node))
      node.data = data
      node.version &+= 1
      node.change = number
      nodes[path] = node
      return [.changed(path)]
    case .delete(let path, let version):
      if try node(path, caller).version != version { throw EnsembleError(.badVersion) }
      return try delete(path, number: number, caller, &undo)
    case .deleteAny(let path): return try delete(path, number: number, caller, &undo)
    }
  }

  private mutating func create(
    _ creation: NodeCreation, number: Int64, _ caller: Caller, _ undo: inout [(path: String, node: SimulatedNode?)]
  ) throws(EnsembleError) -> [TreeEffect] {
    let parentPath = Self.parent(of: creation.path)
    var parent = try node(parentPath, caller)
    guard nodes[creation.path] == nil else { throw EnsembleError(.nodeExists) }
    // ZooKeeper has no nodes below ephemeral ones; none of ours asks for one.
    precondition(parent.owner == 0, "\(creation.path) below an ephemeral node")
    undo += [(parentPath, parent), (creation.path, nil)]
    parent.children.insert(Self.name(of: creation.path))
    parent.childChange = number
    nodes[parentPath] = parent
    nodes[creation.path] = SimulatedNode(
      data: creation.data, creation: number, change: number, childChange: number,
      owner: creation.isEphemeral ? caller.session : 0, login: caller.login)
    return [.came(creation.path)]
  }

  private mutating func delete(
    _ path: String, number: Int64, _ caller: Caller, _ undo: inout [(path: String, node: SimulatedNode?)]
  ) throws(EnsembleError) -> [TreeEffect] {
    let parentPath = Self.parent(of: path)
    let node = try node(path, caller)
    guard var parent = nodes[parentPath] else { throw EnsembleError(.noNode) }
    guard node.children.isEmpty else { throw EnsembleError(.notEmpty) }
    undo += [(parentPath, parent), (path, node)]
    parent.children.remove(Self.name(of: path))
    parent.childChange = number
    nodes[parentPath] = parent
    nodes[path] = nil
    return [.went(path)]
  }

  /// The nodes that go with a session.
  func ephemerals(of session: Int64) -> [String] {
    nodes.filter { $0.value.owner == session && session != 0 }.keys.sorted()
  }

  /// Takes the nodes of a session away.
  mutating func end(_ session: Int64, number: Int64) -> [TreeEffect] {
    var effects: [TreeEffect] = []
    for path in ephemerals(of: session) {
      let parentPath = Self.parent(of: path)
      nodes[path] = nil
      nodes[parentPath]?.children.remove(Self.name(of: path))
      nodes[parentPath]?.childChange = number
      effects.append(.went(path))
    }
    return effects
  }
}

/// What a change did to a node.
enum TreeEffect {
  case came(String)
  case changed(String)
  case went(String)

  /// Whether it is what was watched for.
  func fires(_ watch: TreeWatch) -> Bool {
    switch (self, watch) {
    case (.came(let path), .data(let watched)), (.changed(let path), .data(let watched)),
      (.went(let path), .data(let watched)):
      path == watched
    case (.came(let path), .children(let watched)), (.went(let path), .children(let watched)):
      NodeTree.parent(of: path) == watched || path == watched
    case (.changed, .children): false
    }
  }
}

/// What a client waits for, once.
enum TreeWatch: Hashable {
  /// A node's data, its coming and its going.
  case data(String)
  case children(String)

  var path: String {
    switch self {
    case .data(let path), .children(let path): path
    }
  }
}
