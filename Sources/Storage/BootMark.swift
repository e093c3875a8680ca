package import Effects

/// `.boot_id` in a data folder: under which boot of the machine it is written, and that nothing written under it is lost.
///
/// A process that dies leaves what it has written to the kernel; a machine that goes down does not. Whoever starts on a
/// folder tells the two apart by this.
///
/// Can become: written (the cluster has heard how the run before ended), gone (a data folder of the broker has failed: what
/// was not flushed may be lost though the machine goes on).
package enum BootMark {
  /// The file's name in the folder.
  package static let name = ".boot_id"

  /// Whether the last run that was part of its cluster wrote to `directory` under this very boot, and lost nothing.
  package static func isCurrent(
    _ boot: String?, in directory: String, _ fileSystem: any FileSystem
  ) throws(IOError) -> Bool {
    let path = directory + "/" + name
    guard let boot, fileSystem.exists(path) else { return false }
    return String(decoding: try fileSystem.readAll(path, byteCountMax: 4096), as: UTF8.self) == boot
  }

  /// Notes that `directory` is written under this boot. Only when the cluster has heard how the run before ended: a process
  /// that dies before that must not make the next one say that nothing was lost.
  package static func renew(_ boot: String?, in directory: String, _ fileSystem: any FileSystem) throws(IOError) {
    guard let boot, try !isCurrent(boot, in: directory, fileSystem) else { return }
    try fileSystem.replace(directory + "/" + name, with: Array(boot.utf8))
  }

  /// What was written and not flushed may be gone, from this folder or another one of the broker's.
  package static func forget(in directory: String, _ fileSystem: any FileSystem) throws(IOError) {
    let path = directory + "/" + name
    guard fileSystem.exists(path) else { return }
    try fileSystem.removeFile(path)
    try fileSystem.syncDirectory(directory)
  }
}
