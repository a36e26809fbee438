/** Metrics of exceptions and pauses: how many are in force, and when the next one ends. */
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

interface Running {
  readonly active: number;
  /** Epoch milliseconds; null: none is active. */
  readonly nextEnd: number | null;
}

export interface ExceptionsInForce {
  readonly exceptions: Running;
  readonly pauses: Running;
  /** Whether the exceptions file was usable when last read. */
  readonly readable: boolean;
}

/** @param inForce called at each scrape, since exceptions and pauses expire by themselves. */
export function registerExceptions(registry: Registry, inForce: () => ExceptionsInForce): void {
  const gauge = (name: string, help: string, value: (now: ExceptionsInForce) => number | null): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const now = value(inForce());
        if (now === null) this.remove();
        else this.set(now);
      },
    });
  };
  const seconds = (at: number | null): number | null => (at === null ? null : at / 1000);
  gauge('sallyport_exceptions_active', 'Exceptions currently in force.', ({ exceptions }) => exceptions.active);
  gauge('sallyport_exceptions_next_expiry_timestamp_seconds', 'When the next exception ends.', ({ exceptions }) =>
    seconds(exceptions.nextEnd),
  );
  gauge(
    'sallyport_pauses_active',
    'Pauses currently in force: vendors whose denials are only counted.',
    ({ pauses }) => pauses.active,
  );
  gauge('sallyport_pauses_next_expiry_timestamp_seconds', 'When the next pause ends.', ({ pauses }) =>
    seconds(pauses.nextEnd),
  );
  gauge('sallyport_exceptions_last_load_successful', '1 if the exceptions file was usable when last read.', (now) =>
    now.readable ? 1 : 0,
  );
}
