/// What a name stands for.
enum Entry: Hashable {
  /// A place in the list of files.
  case file(Int)
  /// A place in the list of folders.
  case folder(Int)
}

/// Folders and the names in them twice: as processes see them, and as they are on the disk. What changed reaches the disk
/// by a sync of its folder, in the order in which it changed.
struct FolderTree {
  struct Folder {
    var names: [String: Entry] = [:]
    var durable: [String: Entry] = [:]
  }

  /// One change, whole or not at all: a rename is two edits.
  struct Change {
    let edits: [Edit]

    func touches(_ folder: Int) -> Bool { edits.contains { $0.folder == folder } }
  }

  struct Edit {
    let folder: Int
    let name: String
    let entry: Entry?
  }

  /// The first is the root.
  private(set) var folders = [Folder()]
  /// What has not reached the disk, in order.
  private var changes: [Change] = []

  private static func pieces(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

  func entry(_ path: String) -> Entry? {
    var found = Entry.folder(0)
    for piece in Self.pieces(path) {
      guard case .folder(let number) = found, let next = folders[number].names[String(piece)] else { return nil }
      found = next
    }
    return found
  }

  func folder(_ path: String) -> Int? {
    guard case .folder(let number) = entry(path) else { return nil }
    return number
  }

  /// The folder that `path` is in, where it exists, and the name there.
  func place(of path: String) -> (folder: Int, name: String)? {
    let pieces = Self.pieces(path)
    guard let name = pieces.last, let folder = folder(pieces.dropLast().joined(separator: "/")) else { return nil }
    return (folder, String(name))
  }

  mutating func change(_ edits: Edit...) {
    for edit in edits { folders[edit.folder].names[edit.name] = edit.entry }
    changes.append(Change(edits: edits))
  }

  /// Makes the folders of `path` that are missing; false where a file is in the way.
  mutating func createFolders(_ path: String) -> Bool {
    var number = 0
    for piece in Self.pieces(path) {
      switch folders[number].names[String(piece)] {
      case .file: return false
      case .folder(let next): number = next
      case nil:
        folders.append(Folder())
        change(Edit(folder: number, name: String(piece), entry: .folder(folders.count - 1)))
        number = folders.count - 1
      }
    }
    return true
  }

  /// Every file that has a name, once.
  var namedFiles: Set<Int> {
    var files: Set<Int> = []
    var open = [0]
    while let number = open.popLast() {
      for entry in folders[number].names.values {
        switch entry {
        case .file(let file): files.insert(file)
        case .folder(let folder): open.append(folder)
        }
      }
    }
    return files
  }

  // MARK: reaching the disk

  private mutating func apply(_ change: Change) {
    for edit in change.edits { folders[edit.folder].durable[edit.name] = edit.entry }
  }

  mutating func sync(_ folder: Int) {
    for change in changes where change.touches(folder) { apply(change) }
    changes.removeAll { $0.touches(folder) }
  }

  mutating func syncAll() {
    for change in changes { apply(change) }
    changes.removeAll()
  }

  /// The disk has some of the changes: each folder a first part of its own.
  mutating func writeBackSome(_ names: UnsyncedFate, _ random: inout DiskRandom) {
    switch names {
    case .lost: return
    case .kept: syncAll()
    case .mixed:
      var left: [Int: Int] = [:]
      for number in folders.indices {
        let count = changes.count { $0.edits.first?.folder == number }
        if count > 0 { left[number] = random.below(count + 1) }
      }
      var kept: [Change] = []
      for change in changes {
        guard let folder = change.edits.first?.folder, let count = left[folder], count > 0 else {
          kept.append(change)
          continue
        }
        left[folder] = count - 1
        apply(change)
      }
      changes = kept
    }
  }

  /// The tree as a machine finds it that starts anew.
  func asOnDisk() -> FolderTree {
    var tree = FolderTree()
    tree.folders = folders.map { Folder(names: $0.durable, durable: $0.durable) }
    return tree
  }
}
