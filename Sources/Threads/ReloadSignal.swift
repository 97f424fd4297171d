// SIGHUP as something to wait for: files that the process has read are to be read again.

import Glibc
import Synchronization

package enum ReloadSignal {
    /// Posting to it is allowed in a signal handler (POSIX, async-signal-safe functions).
    private static let bell = Semaphore()

    /// Calls `body`, on a thread of its own, each time the process is asked to reload, until the task is cancelled.
    package static func each(_ body: @escaping @Sendable () -> Void) async {
        let bell = Self.bell  // made now, not in the handler
        let isCancelled = Flag()
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in ReloadSignal.bell.post() }
        action.sa_flags = SA_RESTART
        unsafe sigaction(SIGHUP, &action, nil)
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                Thread.start {
                    while true {
                        bell.wait()
                        if isCancelled.isSet { break }
                        body()
                    }
                    continuation.resume()
                }
            }
        } onCancel: {
            isCancelled.set()
            bell.post()
        }
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { self.value.load(ordering: .sequentiallyConsistent) }

    func set() { self.value.store(true, ordering: .sequentiallyConsistent) }
}
