/**
 * What all plain sockets of a process read into. Its bytes are lent until the callback returns: what is to stay is copied,
 * since a write keeps a reference to what the kernel did not take at once.
 */
export const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);
