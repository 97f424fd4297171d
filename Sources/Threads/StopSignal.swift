// SIGTERM and SIGINT as something to wait for. The second one of a kind ends the process at once.

import Glibc

package enum StopSignal {
    /// Posting to it is allowed in a signal handler (POSIX, async-signal-safe functions).
    private static let bell = Semaphore()

    /// From now on the signals do not end the process, but the wait for them. To be called before anything tells others
    /// that the process runs.
    package static func expect() {
        _ = Self.bell  // made now, not in the handler
        for number in [SIGTERM, SIGINT] {
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_handler = { _ in StopSignal.bell.post() }
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
            unsafe sigaction(number, &action, nil)
        }
    }

    /// Resumes when the process is asked to stop (since ``expect()``), or when the task is cancelled. To be called once.
    package static func wait() async {
        let bell = Self.bell
        // The thread only waits for the semaphore, which cancellation and the end of the process post to as well.
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                Thread.start(
                    interrupt: { bell.post() },
                    {
                        bell.wait()
                        continuation.resume()
                    })
            }
        } onCancel: {
            bell.post()
        }
    }

    /// A peer that has gone is an error of the call that meets it, never the end of the process.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
