/** The interface between the gateway and the worker processes that serve clients. */
import type { Address } from '../admin/http-server.ts';
import type { Config } from '../config/schema.ts';
import type { Addresses } from './listening.ts';
import type { Recording } from './recording.ts';
import type { Shared } from './shared.ts';

/** What a worker needs to serve. */
export interface WorkerPoolStart {
  readonly config: Config;
  readonly shared: Shared;
  /** Those of admin and pages are bound; that of the proxy is requested. */
  readonly addresses: Addresses;
  /** Ids of the external lists that have domains here now. */
  readonly lists: () => readonly string[];
}

export interface WorkerPool {
  /** Starts the workers, and resolves with the bound address once all listen. @throws the reason why one could not. */
  readonly listen: (start: WorkerPoolStart) => Promise<Address>;
  /** Applies another configuration, or the same with changed files behind it. */
  readonly follow: (config: Config) => void;
  /** Applies other exceptions and pauses, and nothing else. */
  readonly adopt: (config: Config) => void;
  /** The summed metrics of all workers and this process, in the Prometheus text format. */
  readonly metrics: () => Promise<string>;
  /** How many serve, and how many ended unexpectedly and were replaced. */
  readonly counts: () => { readonly running: number; readonly replaced: number };
  /** Resolves once all workers have drained, or their drain time is over. */
  readonly drain: () => Promise<void>;
  /** Ends the workers now. */
  readonly close: () => Promise<void>;
}

/** Receives what the workers report. */
export type WorkerPoolEvents = Pick<Recording, 'metrics' | 'trust' | 'blocked' | 'lines'> & {
  readonly log: (line: string) => void;
};
