package import Effects
package import Primitives

/// `.known_folders` in each data folder: the ids (`directory.id`) of all folders that the broker has its records in.
///
/// Each folder says so of all. So a start finds out that one is missing or has become another one, though nothing of it is
/// left to say so: its replicas have then lost what they had, flushed or not.
package enum KnownFolders {
  /// The file's name in the folder.
  package static let name = ".known_folders"
  /// A folder's id has 22 characters; nobody has a thousand folders.
  private static let byteCountMax = 65_536

  /// The ids that the folders know of and that are none of theirs. A file that was never written knows of none; a folder
  /// without an id is none of those known.
  package static func gone(among directories: [String], _ fileSystem: any FileSystem) throws(StartError) -> [UUID] {
    var known: Set<UUID> = []
    var present: Set<UUID> = []
    for directory in directories {
      do throws(IOError) { known.formUnion(try read(directory, fileSystem)) } catch { throw .io(error) }
      if let identity = try IdentityFile.read(fileSystem: fileSystem, directory: directory) {
        present.insert(identity.directoryID)
      }
    }
    return known.subtracting(present).sorted { ($0.high, $0.low) < ($1.high, $1.low) }
  }

  /// Lets `directory` know of the folders there are now. Only when the cluster has heard of those that are gone.
  package static func note(
    _ directories: [String], in directory: String, _ fileSystem: any FileSystem
  ) throws(StartError) {
    var ids: [UUID] = []
    for directory in directories {
      if let id = try IdentityFile.read(fileSystem: fileSystem, directory: directory) { ids.append(id.directoryID) }
    }
    do throws(IOError) {
      guard try read(directory, fileSystem) != ids else { return }
      let text = ids.map { "\($0)\n" }.joined()
      try fileSystem.replace(directory + "/" + name, with: Array(text.utf8))
    } catch { throw .io(error) }
  }

  private static func read(_ directory: String, _ fileSystem: any FileSystem) throws(IOError) -> [UUID] {
    let path = directory + "/" + name
    guard fileSystem.exists(path) else { return [] }
    let text = String(decoding: try fileSystem.readAll(path, byteCountMax: byteCountMax), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).compactMap { UUID(String($0)) }
  }
}
