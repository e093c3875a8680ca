internal import CLinux
internal import Coordination
internal import Primitives
internal import Runtime
internal import Synchronization

/// The coordination service of an embedded cluster: the simulator's ensemble, on a thread of its own, in the machine's time.
///
/// It ends with `stop`, or when nobody holds it any more.
final class EnsembleThread: Sendable {
  /// What it is told, from any thread.
  enum Command: Sendable {
    case attach(client: Int, broker: Int, timeoutMs: Int64, EnsembleInbox)
    case connect(client: Int, session: UInt64)
    case send(client: Int, EnsembleRequest, RequestToken)
    case close(client: Int, session: UInt64)
    /// The broker was killed: its session ends at once.
    case lose(broker: Int)
    case cut(broker: Int)
    case heal
    /// Time passes faster: so many ms have gone by when the signal is set.
    case pass(milliseconds: Int64, Signal)
    case stop
  }

  /// What the thread and its owners share.
  final class Orders: Sendable {
    private let commands = Mutex<[Command]>([])
    private let descriptor: Int32

    init() {
      descriptor = ottla_eventfd()
      precondition(descriptor >= 0, "the kernel refused an eventfd: errno \(-descriptor)")
    }

    deinit { _ = ottla_close(descriptor) }

    func post(_ command: Command) {
      commands.withLock { $0.append(command) }
      ottla_eventfd_signal(descriptor)
    }

    /// Waits for commands, no longer than that.
    func take(waitingMs: Int32) -> [Command] {
      ottla_wait_readable(descriptor, waitingMs)
      ottla_eventfd_clear(descriptor)
      return commands.withLock { commands in
        let taken = commands
        commands = []
        return taken
      }
    }
  }

  private let orders = Orders()
  private let lastClient = Atomic<Int>(0)
  private let threads = ThreadList()

  init() {
    threads.start("ottla-ensemble") { [orders] in
      var run = EnsembleRun(orders)
      run.untilStopped()
    }
  }

  deinit { stop() }

  /// A client for one run of a broker.
  func client(broker: Int, timeoutMs: Int64, wake: @escaping @Sendable () -> Void) -> EmbeddedEnsemble {
    let client = lastClient.add(1, ordering: .relaxed).newValue
    let inbox = EnsembleInbox(wake: wake)
    post(.attach(client: client, broker: broker, timeoutMs: timeoutMs, inbox))
    return EmbeddedEnsemble(thread: self, client: client, inbox: inbox)
  }

  func post(_ command: Command) { orders.post(command) }

  /// Longer than any session lasts: more of it would only be heartbeats.
  private static let passMsMax: Int64 = 120_000

  /// Lets time pass as if it had been waited for, and returns then.
  func pass(milliseconds: Int64) {
    let signal = Signal()
    post(.pass(milliseconds: min(milliseconds, Self.passMsMax), signal))
    signal.wait()
  }

  /// Ends the thread. Who asks for something after that is not answered.
  func stop() {
    post(.stop)
    threads.join()
  }
}
