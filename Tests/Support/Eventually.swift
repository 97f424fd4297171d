// Waiting for what happens elsewhere, with an end.

/// Looks until `condition` holds.
///
/// - Returns: false where it still doesn't after `limit`.
package func eventually(
    within limit: Duration = .seconds(120), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let end = ContinuousClock.now + limit
    while true {
        if try await condition() { return true }
        if ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
}
