internal import Broker
internal import CLinux
internal import Synchronization
internal import Threads

/// The threads of work that nobody waits for, shared by all data folders, of low priority.
final class BackgroundThreads: Sendable {
  /// Work, and how far it is.
  private final class Entry: Sendable {
    enum Stage {
      /// Can become: running, or cancelled.
      case waiting
      case running
      case cancelled
    }
    let order: DiskOrder
    let stage = Mutex(Stage.waiting)
    init(_ order: DiskOrder) { self.order = order }

    /// False when somebody else has it.
    func take(_ next: Stage) -> Bool {
      stage.withLock { stage in
        guard stage == .waiting else { return false }
        stage = next
        return true
      }
    }
  }

  private struct Key: Hashable {
    let shard: Int
    let token: DiskToken
    init(_ order: DiskOrder) {
      shard = order.shard
      token = order.token
    }
    init(_ shard: Int, _ token: DiskToken) {
      self.shard = shard
      self.token = token
    }
  }

  private struct Entries {
    var all: [Key: Entry] = [:]
    var isClosed = false
    /// How many threads there are to be, and the numbers of those that there are.
    var threadCount = 0
    var live: Set<Int> = []
  }

  private let run: @Sendable (DiskOrder) -> Void
  private let queue = JobQueue<Entry>()
  private let entries = Mutex(Entries())
  private let threads = ThreadList()

  /// - Parameter run: does an order and says what came of it, on whatever thread.
  init(run: @escaping @Sendable (DiskOrder) -> Void) { self.run = run }

  /// Has so many threads from now on, at least one: starts those that are missing; the others end when they would take
  /// the next piece of work.
  private func setThreadCount(_ count: Int) {
    let missing = entries.withLock { entries -> [Int] in
      guard !entries.isClosed else { return [] }
      entries.threadCount = max(1, count)
      let missing = (0..<entries.threadCount).filter { !entries.live.contains($0) }
      entries.live.formUnion(missing)
      return missing
    }
    for number in missing {
      threads.start("cleaner-\(number)") { [self] in
        ottla_lower_priority(10)
        work(number)
      }
    }
  }

  /// Work that says how many threads it may share has that many started.
  func add(_ order: DiskOrder) {
    setThreadCount(order.job.threadCount ?? max(1, entries.withLock(\.threadCount)))
    let entry = Entry(order)
    let isClosed = entries.withLock { entries in
      entries.all[Key(order)] = entry
      return entries.isClosed
    }
    if isClosed { order.pace.stop() }
    queue.add(entry)
  }

  /// Tells work to end. Returns its order where it has not begun: it is for the caller to let somebody else run it, which
  /// does not take long, for it is told to end at once.
  func cancel(_ token: DiskToken, shard: Int) -> DiskOrder? {
    guard let entry = entries.withLock({ $0.all[Key(shard, token)] }) else { return nil }
    entry.order.pace.stop()
    guard entry.take(.cancelled) else { return nil }
    forget(entry)
    return entry.order
  }

  /// Ends all work, and the threads.
  func stop() {
    let all = entries.withLock { entries in
      entries.isClosed = true
      return Array(entries.all.values)
    }
    for entry in all { entry.order.pace.stop() }
    queue.close()
    threads.join()
  }

  private func work(_ number: Int) {
    while let entry = queue.take() {
      let isOneTooMany = entries.withLock { entries -> Bool in
        guard number >= entries.threadCount else { return false }
        entries.live.remove(number)
        return true
      }
      if isOneTooMany { return queue.add(entry) }
      guard entry.take(.running) else { continue }
      run(entry.order)
      forget(entry)
    }
  }

  private func forget(_ entry: Entry) { entries.withLock { $0.all[Key(entry.order)] = nil } }
}
