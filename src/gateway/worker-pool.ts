/** What the gateway asks of other processes that serve clients in its place, and what it hears of them. */
import type { Address } from '../admin/http-server.ts';
import type { Config } from '../config/schema.ts';
import type { Addresses } from './listening.ts';
import type { Recording } from './recording.ts';
import type { Shared } from './shared.ts';

/** What a worker needs to serve. */
export interface WorkerPoolStart {
  readonly config: Config;
  readonly shared: Shared;
  /** Those of admin and pages are bound; that of the proxy is wanted. */
  readonly addresses: Addresses;
}

export interface WorkerPool {
  /** Starts the workers, and resolves with the bound address once all listen. @throws the reason why one could not. */
  readonly listen: (start: WorkerPoolStart) => Promise<Address>;
  /** Applies another configuration, or the same with changed files behind it. */
  readonly follow: (config: Config) => void;
  /** Has them follow other exceptions and pauses in it, and nothing else. */
  readonly adopt: (config: Config) => void;
  /** The metrics of all, with those of this process, in the Prometheus text format. */
  readonly metrics: () => Promise<string>;
  /** How many serve, and how many ended unasked and were replaced. */
  readonly counts: () => { readonly running: number; readonly replaced: number };
  /** Resolves once each has ended what was open, or its drain time is over. */
  readonly drain: () => Promise<void>;
  /** Ends them now. */
  readonly close: () => Promise<void>;
}

/** Receives what the workers report. */
export type WorkerPoolEvents = Pick<Recording, 'metrics' | 'trust' | 'blocked' | 'lines'> & {
  readonly log: (line: string) => void;
};
