/**
 * Tells the engine's news of containers that were just started here from those of others that it has started again by itself. The news
 * may come before the launch is known to be over, or after.
 */
export class OwnStarts {
  /** Containers that were started here, and of which no news has come. */
  readonly #awaited = new Set<string>();
  /** The other way round. */
  readonly #early = new Set<string>();

  /** A launch is over. */
  launched(started: readonly string[]): void {
    for (const id of started) if (!this.#early.delete(id)) this.#awaited.add(id);
  }

  /** It was started; true when it was here. @param isLaunching a launch of its version is under way */
  isOwn(containerId: string, isLaunching: boolean): boolean {
    if (isLaunching) this.#early.add(containerId);
    return isLaunching || this.#awaited.delete(containerId);
  }

  /** News may have been lost. */
  forget(): void {
    this.#awaited.clear();
    this.#early.clear();
  }
}
