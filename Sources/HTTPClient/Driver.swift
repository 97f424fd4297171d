// The thread that drives all transfers of a client.

import CCurl
import Glibc
import Synchronization
import Threads

/// Its variables are for its own thread, but for the queue of commands.
@safe final class Driver: @unchecked Sendable {
    enum Command {
        case add(Transfer)
        /// Lets a paused transfer look again.
        case resume(Transfer)
        case cancel(Transfer)
        case stop
    }

    private struct Commands {
        var waiting: [Command] = []
        var isClosed = false
    }

    private let multi: UnsafeMutableRawPointer
    private let sessions: UnsafeMutableRawPointer?
    private let commands = Mutex(Commands())
    private var transfers: [UnsafeMutableRawPointer: Transfer] = unsafe [:]
    private var isStopped = false

    private static let library = curl_global_init(Int(CURL_GLOBAL_ALL))
    /// In milliseconds: how often transfers are looked at for stalls.
    private static let watchInterval: Int32 = 500

    init(_ configuration: HTTPClient.Configuration) {
        precondition(Self.library == CURLE_OK, "libcurl doesn't start")
        guard let multi = unsafe curl_multi_init() else { preconditionFailure("no memory for libcurl") }
        unsafe self.multi = multi
        unsafe self.sessions = client_share_sessions()
        unsafe client_set_multi(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHost)
        unsafe client_set_multi(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.connections)
        unsafe client_set_multi(multi, CURLMOPT_MAXCONNECTS, configuration.connections)
    }

    deinit {
        unsafe curl_multi_cleanup(self.multi)
        unsafe curl_share_cleanup(self.sessions)
    }

    func start() { Thread.start(interrupt: { [weak self] in self?.submit(.stop) }, { self.run() }) }

    /// For any thread.
    func submit(_ command: Command) {
        let isFirst: Bool? = self.commands.withLock { commands in
            if commands.isClosed { return nil }
            commands.waiting.append(command)
            return commands.waiting.count == 1
        }
        switch isFirst {
        case true?: unsafe curl_multi_wakeup(self.multi)
        case false?: break
        case nil: if case .add(let transfer) = command { transfer.end(HTTPClientFault.stopped) }
        }
    }

    private func run() {
        var broken = sigset_t()
        unsafe sigemptyset(&broken)
        unsafe sigaddset(&broken, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &broken, nil)
        var nextLook = ContinuousClock.now
        while !self.isStopped {
            for command in self.take() { self.obey(command) }
            var running: Int32 = 0
            unsafe curl_multi_perform(self.multi, &running)
            self.collect()
            if .now >= nextLook {
                nextLook = .now + .milliseconds(Int64(Self.watchInterval))
                for transfer in self.running where transfer.isStalled {
                    self.remove(transfer, HTTPClientFault.timedOut("\(transfer.name): no byte was sent or received"))
                }
            }
            guard self.commands.withLock({ $0.waiting.isEmpty }) else { continue }
            let pollTimeout = unsafe self.transfers.isEmpty ? 60_000 : Self.watchInterval
            unsafe curl_multi_poll(self.multi, nil, 0, pollTimeout, nil)
        }
        for transfer in self.running { self.remove(transfer, HTTPClientFault.stopped) }
    }

    private var running: [Transfer] { unsafe Array(self.transfers.values) }

    private func take() -> [Command] {
        self.commands.withLock { commands in
            defer { commands.waiting = [] }
            return commands.waiting
        }
    }

    private func obey(_ command: Command) {
        switch command {
        case .add(let transfer):
            guard let easy = unsafe transfer.prepare(for: self, self.sessions) else { return }
            unsafe self.transfers[easy] = transfer
            let code = unsafe curl_multi_add_handle(self.multi, easy)
            if code != CURLM_OK { self.remove(transfer, HTTPClientFault.other("libcurl: \(code.rawValue)")) }
        case .resume(let transfer):
            if let failure = transfer.offerFailure {
                self.remove(transfer, failure)
            } else {
                transfer.resume()
            }
        case .cancel(let transfer):
            self.remove(transfer, CancellationError())
        case .stop:
            self.isStopped = true
            let late = self.commands.withLock { commands in
                commands.isClosed = true
                defer { commands.waiting = [] }
                return commands.waiting
            }
            for case .add(let transfer) in late { transfer.end(HTTPClientFault.stopped) }
        }
    }

    private func collect() {
        var result = CURLE_OK
        while let easy = unsafe client_next_done(self.multi, &result) {
            if let transfer = unsafe self.transfers[easy] { self.remove(transfer, transfer.failure(for: result)) }
        }
    }

    /// Ends a transfer; with no failure, successfully.
    private func remove(_ transfer: Transfer, _ failure: (any Error)?) {
        if let easy = unsafe transfer.easy {
            unsafe curl_multi_remove_handle(self.multi, easy)
            unsafe self.transfers.removeValue(forKey: easy)
        }
        transfer.release()
        transfer.end(failure)
    }
}
