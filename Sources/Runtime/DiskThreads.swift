internal import Broker
internal import CLinux
internal import Effects
internal import Primitives
internal import Storage
internal import Synchronization
internal import Threads

/// The threads that wait for disks, those of each data folder by themselves: a folder whose disk stalls holds nobody else up.
final class DiskThreads: Sendable {
  private let folders: [FolderThreads]
  private let background: BackgroundThreads
  private let cleaningRate = ByteRate()
  private let scrubRate = ByteRate()

  /// - Parameter mailboxes: of the shards, by their numbers: where results go.
  init(
    folders paths: [String], fileSystem: any FileSystem, flushThreads: Int, mailboxes: [Mailbox]
  ) {
    let finish: @Sendable (DiskOrder, DiskResult) -> Void = { order, result in
      mailboxes[order.shard].post([.disk(order.token, result)])
    }
    folders = paths.map { path in
      FolderThreads(path: path, fileSystem: fileSystem, flushThreads: flushThreads, finish: finish)
    }
    background = BackgroundThreads { order in
      finish(order, order.job.run(fileSystem, order.pace))
    }
  }

  func submit(_ job: DiskJob, token: DiskToken, shard: Int, folder: Int) {
    let pace = BackgroundPace(job.isScrub ? scrubRate : cleaningRate)
    let order = DiskOrder(job: job, token: token, shard: shard, pace: pace)
    if job.lane == .background { background.add(order) } else { folders[folder].add(order) }
  }

  func cancel(_ token: DiskToken, shard: Int, folder: Int) {
    if let order = background.cancel(token, shard: shard) { folders[folder].addPrompt(order) }
  }

  /// Does what has been submitted, then ends the threads. Background work is told to end where it is.
  func stop() {
    background.stop()
    for folder in folders { folder.stop() }
  }
}

/// A job, and whose it is.
struct DiskOrder: Sendable {
  let job: DiskJob
  let token: DiskToken
  let shard: Int
  let pace: BackgroundPace
}

/// The threads of one data folder: one that flushes, with a crew that helps it where a round has many files, and some for
/// everything else.
final class FolderThreads: Sendable {
  private let path: String
  private let fileSystem: any FileSystem
  private let finish: @Sendable (DiskOrder, DiskResult) -> Void
  private let flushes = JobQueue<DiskOrder>()
  private let rounds = JobQueue<FlushRound>()
  private let helpersDone = JobQueue<Void>()
  private let prompt = JobQueue<DiskOrder>()
  private let crewCount: Int
  /// Whether a flush is under way: reads of old data wait for its end, as long as that does not take long.
  private let isFlushing = Atomic<Bool>(false)
  private let threads = ThreadList()
  private let crew = ThreadList()

  private static let promptThreadCount = 2
  /// From this many files on, one sync of the whole file system is quicker.
  private static let wholeSyncFileCount = 128

  init(
    path: String, fileSystem: any FileSystem, flushThreads: Int,
    finish: @escaping @Sendable (DiskOrder, DiskResult) -> Void
  ) {
    self.path = path
    self.fileSystem = fileSystem
    self.finish = finish
    crewCount = max(0, flushThreads - 1)
    threads.start("flush") { [self] in flush() }
    for number in 0..<crewCount { crew.start("flush-\(number + 1)") { [rounds] in Self.help(rounds) } }
    for number in 0..<Self.promptThreadCount { threads.start("disk-\(number)") { [self] in promptly() } }
  }

  func add(_ order: DiskOrder) {
    if order.job.lane == .flush { flushes.add(order) } else { addPrompt(order) }
  }

  func addPrompt(_ order: DiskOrder) { prompt.add(order) }

  func stop() {
    flushes.close()
    prompt.close()
    threads.join()
    // Whoever flushes needs its crew to the end.
    rounds.close()
    crew.join()
  }

  /// Behind shards and flushes, before what nobody waits for.
  private func promptly() {
    ottla_lower_priority(5)
    work()
  }

  private func work() {
    while let order = prompt.take() {
      if case .read = order.job { giveWay() }
      finish(order, order.job.run(fileSystem, order.pace))
    }
  }

  /// Who catches up reads as fast as the disk can; those who wait for a flush would wait behind all that.
  private func giveWay() {
    for _ in 0..<Self.giveWayCountMax where isFlushing.load(ordering: .relaxed) {
      ottla_sleep(Self.giveWayNanoseconds)
    }
  }

  private static let giveWayNanoseconds: Int64 = 50_000
  private static let giveWayCountMax = 200

  // MARK: flushing

  /// Round after round: everything that came while one ran, of every shard, is the next.
  ///
  /// After one has failed the disk is not asked again: the kernel tells of lost pages once, and who asks a second time
  /// hears that all is well.
  private func flush() {
    var failure: IOError?
    func unlessFailed(_ work: () -> DiskResult) -> DiskResult {
      if let failure { return .failed(failure) }
      let result = work()
      if case .failed(let error) = result, !error.isOutOfDescriptors { failure = error }
      return result
    }
    while let orders = flushes.takeAll() {
      var works: [FlushWork] = []
      var others: [DiskOrder] = []
      for order in orders {
        if case .flush(let more) = order.job { works += more } else { others.append(order) }
      }
      if !works.isEmpty {
        isFlushing.store(true, ordering: .relaxed)
        defer { isFlushing.store(false, ordering: .relaxed) }
        let result = unlessFailed { bringToDisk(works) }
        for order in orders { if case .flush = order.job { finish(order, result) } }
      }
      for order in others {
        let run = { order.job.run(self.fileSystem, order.pace) }
        finish(order, order.job.isForFailedDisks ? run() : unlessFailed(run))
      }
    }
  }

  private func bringToDisk(_ works: [FlushWork]) -> DiskResult {
    let files = works.flatMap(\.files)
    do throws(IOError) {
      if files.count < Self.wholeSyncFileCount {
        try sync(files)
      } else if try !syncWhole() {
        try sync(files)
      }
      // A folder that got many new names needs one sync; the inner ones come first.
      var done: Set<String> = []
      for depth in 0..<2 {
        for work in works where work.directories.count > depth {
          let directory = work.directories[depth]
          if done.insert(directory).inserted { try FlushWork.syncNames(in: directory, fileSystem) }
        }
      }
      return .done
    } catch { return .failed(error) }
  }

  /// Syncs the whole file system; false where no descriptor is left for that, and nothing was done.
  private func syncWhole() throws(IOError) -> Bool {
    do throws(IOError) { try fileSystem.syncAll(holding: path) } catch {
      guard error.isOutOfDescriptors else { throw error }
      return false
    }
    return true
  }

  private func sync(_ files: [any File]) throws(IOError) {
    let helperCount = min(crewCount, files.count - 1)
    guard helperCount > 0 else {
      for file in files { try file.sync() }
      return
    }
    let round = FlushRound(files, helperCount: helperCount, helpersDone: helpersDone)
    for _ in 0..<helperCount { rounds.add(round) }
    round.work()
    round.waitForHelpers()
    if let failure = round.failure { throw failure }
  }

  private static func help(_ rounds: JobQueue<FlushRound>) {
    while let round = rounds.take() {
      round.work()
      round.leave()
    }
  }
}
