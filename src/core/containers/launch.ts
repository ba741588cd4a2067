/** What the control plane and the engines tell each other about the containers of a version. */
import type { EngineAddress, ServerAddress } from '../config/model.ts';

/** The image that a container was made from. */
export interface RecordedImage {
  /** As the configuration names it: `registry/app:2.0`. */
  readonly reference: string;
  /** What the engine calls it: `sha256:…`. */
  readonly imageId: string;
  /** By which a registry gives the very same image again: `registry/app@sha256:…`; null for one that never was in one. */
  readonly digest: string | null;
  /** True when Cutover pulled it, and so may remove it. */
  readonly pulled: boolean;
}

/** A container that a version runs in or uses, as it was found running. */
export interface LaunchedContainer {
  /** Its place in the configuration, with replicas `0.1`; null for one of another version that it only uses. */
  readonly slot: string | null;
  readonly containerId: string;
  readonly name: string;
  readonly engine: EngineAddress | null;
  readonly image: RecordedImage;
  /** Where it is proxied to; null for one that is not. */
  readonly server: ServerAddress | null;
}

/** What a launch has brought about. */
export interface Launched {
  /** In their order; with those of other versions that are used. */
  readonly containers: readonly LaunchedContainer[];
  /** The ids of those that did not run before. */
  readonly started: readonly string[];
}

/** Why containers could not be started. The message is one line for people. */
export class LaunchFault extends Error {
  /** The last lines that they wrote. */
  readonly output: readonly string[];

  constructor(message: string, output: readonly string[] = []) {
    super(message);
    this.output = output;
  }
}

/** An engine does not answer: nothing has been begun. */
export class EngineAway extends LaunchFault {}
