// How a worker learns that there is work, without asking all the time. A wake-up carries nothing: the work is in tables.

import Synchronization

/// A subject on which processes wake each other. Its text is PostgreSQL's channel.
package struct Channel: Hashable, Sendable {
    package let name: String

    /// - Parameter name: lower-case letters and `_` only, for it stands in a statement.
    package init(_ name: StaticString) {
        self.name = "\(name)"
        precondition(self.name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F } && !self.name.isEmpty)
    }

    /// - Parameter known: what a driver was told that it is called.
    package init(known name: String) { self.name = name }
}

/// One listener's wake-ups. Several that come before the next wait count as one.
package final class WakeUps: Sendable {
    private struct State: ~Copyable {
        var isDue = true
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var cancelled: Set<Int> = []
        var count = 0
    }

    private let state = Mutex(State())

    /// Returns at the next wake-up, at once where one has come since the last call; or when `limit` is over; or when
    /// the task is cancelled.
    package func wait(upTo limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait() async {
        let ticket = self.state.withLock { state in
            state.count += 1
            return state.count
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return true }
                    if state.isDue {
                        state.isDue = false
                        return true
                    }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
            self.state.withLock { _ = $0.cancelled.remove(ticket) }
        } onCancel: {
            let waiting = self.state.withLock { state in
                let waiting = state.waiting.removeValue(forKey: ticket)
                if waiting == nil { state.cancelled.insert(ticket) }
                return waiting
            }
            waiting?.resume()
        }
    }

    func wake() {
        let waiting = self.state.withLock { state in
            defer { state.waiting = [:] }
            if state.waiting.isEmpty { state.isDue = true }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Who listens to what in this process. A driver wakes them; a listener that is let go is forgotten.
package final class Switchboard: Sendable {
    private struct Listener {
        let channel: Channel
        weak var wakeUps: WakeUps?
    }

    private let listeners = Mutex<[Listener]>([])

    package init() {}

    package func listen(_ channel: Channel) -> WakeUps {
        let wakeUps = WakeUps()
        self.listeners.withLock { listeners in
            listeners.removeAll { $0.wakeUps == nil }
            listeners.append(Listener(channel: channel, wakeUps: wakeUps))
        }
        return wakeUps
    }

    package func wake(_ channels: Set<Channel>) {
        if channels.isEmpty { return }
        for listener in self.present(where: { channels.contains($0) }) { listener.wake() }
    }

    /// For when wake-ups may have been missed.
    package func wakeAll() {
        for listener in self.present(where: { _ in true }) { listener.wake() }
    }

    private func present(where isMeant: (Channel) -> Bool) -> [WakeUps] {
        self.listeners.withLock { listeners in
            listeners.compactMap { isMeant($0.channel) ? $0.wakeUps : nil }
        }
    }
}
