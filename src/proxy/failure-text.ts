/** The cause of a failed attempt as the log shows it (thesis section 6.2.2). */

export function connectFailureText(where: string, cause: string): string {
  return `dial tcp ${where}: ${cause}`;
}

export function lostConnectionText(where: string, cause: string): string {
  return `read tcp ${where}: ${cause}`;
}
