// How many files and sockets the process may have open.

import Glibc

enum DescriptorLimit {
    /// Raises the limit to the most that the system allows this process.
    ///
    /// - Returns: the limit; nil if it is not known.
    static func raise() -> Int? {
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if unsafe setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }
}
