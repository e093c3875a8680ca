internal import Primitives

/// Where everything is in the ensemble, below the chroot.
struct EnsemblePaths {
  /// Without a slash at its end; empty for none.
  let chroot: String

  /// - Parameter chroot: as in `zookeeper.connect`: empty, `/` or `/a/b`.
  init(chroot: String) {
    var path = Substring(chroot)
    while path.hasSuffix("/") { path.removeLast() }
    self.chroot = String(path)
  }

  /// For sentences and for `sync`.
  var root: String { chroot.isEmpty ? "/" : chroot }
  var clusterID: String { chroot + "/cluster/id" }
  var brokers: String { chroot + "/brokers/ids" }
  func broker(_ id: BrokerID) -> String { "\(brokers)/\(id.value)" }
  var controller: String { chroot + "/controller" }
  var controllerEpoch: String { chroot + "/controller_epoch" }
  var log: String { chroot + "/metadata/log" }
  func logNode(_ number: Int64) -> String { log + "/" + Self.digits(number) }
  var head: String { chroot + "/metadata/head" }
  var snapshots: String { chroot + "/metadata/snapshots" }
  func snapshot(_ name: String) -> String { snapshots + "/" + name }
  func chunk(_ index: Int64, of name: String) -> String { snapshot(name) + "/" + Self.digits(index) }
  var snapshot: String { chroot + "/metadata/snapshot" }

  /// What has to be there before a cluster can be: those above before those below them.
  var folders: [String] {
    var folders: [String] = []
    var path = ""
    for part in chroot.split(separator: "/") {
      path += "/" + part
      folders.append(path)
    }
    let inside = ["/cluster", "/brokers", "/brokers/ids", "/metadata", "/metadata/log", "/metadata/snapshots"]
    return folders + inside.map { chroot + $0 }
  }

  /// Ten digits, more where it takes more: names sort like their numbers.
  static func digits(_ number: Int64) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, 10 - text.utf8.count)) + text
  }
}
