internal import CZooKeeper
internal import Coordination
internal import Primitives

/// A session as the library has it. One call at a time, from any thread; answers come on threads of the library.
struct Handle {
  /// The library's pointer, as a number: it goes from the thread that opens sessions to the one that uses them.
  private let address: UInt
  /// What the watcher was given, to be released when the session is closed.
  private let watcher: UInt

  private var pointer: OpaquePointer? { OpaquePointer(bitPattern: address) }

  /// Begins a session. Looks up names, which may take long. nil when none of `servers` has an address.
  init?(servers: String, timeoutMs: Int32, credentials: String?, watcher: SessionWatcher) {
    let context = Unmanaged.passRetained(watcher)
    guard let opened = ottla_zookeeper_open(servers, timeoutMs, watch, context.toOpaque()) else {
      context.release()
      return nil
    }
    address = UInt(bitPattern: opened)
    self.watcher = UInt(bitPattern: context.toOpaque())
    if let credentials { _ = ottla_zookeeper_login(opened, credentials, Int32(clamping: credentials.utf8.count)) }
  }

  /// Ends the session. Waits for the library's threads, which may take long; requests without an answer are answered.
  func close() {
    guard let pointer else { return }
    _ = zookeeper_close(pointer)
    if let context = UnsafeRawPointer(bitPattern: watcher) {
      Unmanaged<SessionWatcher>.fromOpaque(context).release()
    }
  }

  /// Sends a request; `errand` is told how it went, at once where it could not be sent.
  func send(_ request: EnsembleRequest, isPrivate: Bool, _ errand: Errand) {
    let context = Unmanaged.passRetained(errand)
    let code: Int32 =
      switch request {
      case .get(let path, let isWatched): zoo_aget(pointer, path, isWatched ? 1 : 0, finishGet, context.toOpaque())
      case .exists(let path, let isWatched):
        zoo_aexists(pointer, path, isWatched ? 1 : 0, finishExists, context.toOpaque())
      case .children(let path, let isWatched):
        zoo_aget_children(pointer, path, isWatched ? 1 : 0, finishChildren, context.toOpaque())
      case .sync(let path): zoo_async(pointer, path, finishSync, context.toOpaque())
      case .create(let creation): change([.create(creation)], isPrivate: isPrivate, context.toOpaque())
      case .set(let path, let data, let version):
        change([.set(path, data, version: version)], isPrivate: isPrivate, context.toOpaque())
      case .delete(let path, let version):
        change([.delete(path, version: version)], isPrivate: isPrivate, context.toOpaque())
      case .multi(let writes): change(writes, isPrivate: isPrivate, context.toOpaque())
      }
    if code != ZOK.rawValue { context.takeRetainedValue().finish(.failure(EnsembleError(code: code))) }
  }

  private func change(_ writes: [EnsembleWrite], isPrivate: Bool, _ context: UnsafeMutableRawPointer) -> Int32 {
    WriteList(writes).withWrites { list in
      ottla_zookeeper_change(
        pointer, Int32(clamping: list.count), list.baseAddress, isPrivate ? 1 : 0, finishChange, context)
    }
  }
}

// -- called by the library, on its threads: they copy what they are given, and leave

private func errand(_ context: UnsafeRawPointer?) -> Errand? {
  context.map { Unmanaged<Errand>.fromOpaque($0).takeRetainedValue() }
}

private func watch(
  _ handle: OpaquePointer?, _ type: Int32, _ state: Int32, _ path: UnsafePointer<CChar>?,
  _ context: UnsafeMutableRawPointer?
) {
  guard let context else { return }
  let watcher = Unmanaged<SessionWatcher>.fromOpaque(context).takeUnretainedValue()
  switch ottla_zookeeper_event_of(type, state) {
  case OTTLA_ZOOKEEPER_CONNECTED:
    guard let id = zoo_client_id(handle)?.pointee.client_id else { return }
    watcher.tell(.connected(EnsembleSession(id: id, timeoutMs: Int64(zoo_recv_timeout(handle)))))
  case OTTLA_ZOOKEEPER_DISCONNECTED: watcher.tell(.disconnected)
  case OTTLA_ZOOKEEPER_EXPIRED: watcher.tell(.sessionLost)
  case OTTLA_ZOOKEEPER_LOGIN_REFUSED: watcher.tell(.loginRefused)
  case OTTLA_ZOOKEEPER_CHANGED: if let path { watcher.tell(.changed(String(cString: path))) }
  default: break
  }
}

private func finishGet(
  _ code: Int32, _ value: UnsafePointer<CChar>?, _ count: Int32, _ status: UnsafePointer<Stat>?,
  _ context: UnsafeRawPointer?
) {
  guard code == ZOK.rawValue, let status else { return fail(code, context) }
  let data = value.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: max(0, Int(count)))) } ?? []
  errand(context)?.finish(.success(.node(data, NodeStatus(status.pointee))))
}

private func finishExists(_ code: Int32, _ status: UnsafePointer<Stat>?, _ context: UnsafeRawPointer?) {
  guard code == ZOK.rawValue, let status else { return fail(code, context) }
  errand(context)?.finish(.success(.status(NodeStatus(status.pointee))))
}

private func finishChildren(_ code: Int32, _ names: UnsafePointer<String_vector>?, _ context: UnsafeRawPointer?) {
  guard code == ZOK.rawValue, let names = names?.pointee else { return fail(code, context) }
  var children: [String] = []
  for index in 0..<max(0, Int(names.count)) {
    if let name = names.data?[index] { children.append(String(cString: name)) }
  }
  errand(context)?.finish(.success(.children(children)))
}

private func finishSync(_ code: Int32, _ path: UnsafePointer<CChar>?, _ context: UnsafeRawPointer?) {
  guard code == ZOK.rawValue else { return fail(code, context) }
  errand(context)?.finish(.success(.done))
}

private func finishChange(_ code: Int32, _ part: Int32, _ context: UnsafeMutableRawPointer?) {
  guard code == ZOK.rawValue else { return fail(code, UnsafeRawPointer(context), part: Int(part)) }
  errand(UnsafeRawPointer(context))?.finish(.success(.done))
}

private func fail(_ code: Int32, _ context: UnsafeRawPointer?, part: Int = 0) {
  errand(context)?.finish(.failure(EnsembleError(code: code, part: part)))
}

extension NodeStatus {
  fileprivate init(_ status: Stat) {
    self.init(creation: status.czxid, version: status.version, owner: status.ephemeralOwner)
  }
}

extension EnsembleError {
  /// What a code of the library means to us.
  init(code: Int32, part: Int = 0) {
    let reason: Reason =
      switch code {
      case ZNONODE.rawValue: .noNode
      case ZNODEEXISTS.rawValue: .nodeExists
      case ZBADVERSION.rawValue: .badVersion
      case ZNOTEMPTY.rawValue: .notEmpty
      case ZNOAUTH.rawValue: .accessDenied
      case ZCONNECTIONLOSS.rawValue, ZOPERATIONTIMEOUT.rawValue, ZSESSIONMOVED.rawValue: .connectionLost
      case ZSESSIONEXPIRED.rawValue, ZCLOSING.rawValue, ZINVALIDSTATE.rawValue, ZAUTHFAILED.rawValue: .sessionLost
      default: .other(code)
      }
    self.init(reason, part: part)
  }
}
