/** Hosts that carry other traffic too: only the path of a readable request tells the part that is an AI service. */
import type { SharedPart } from '../flow.ts';

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1);
}

/** The query of a pattern is one parameter, which the request must have. */
function fits(path: string, pattern: string): boolean {
  const [wanted = '', parameter] = pattern.split('?', 2);
  const [given = '', query = ''] = path.split('?', 2);
  if (parameter !== undefined && !query.split('&').includes(parameter)) return false;
  const segments = segmentsOf(given);
  const parts = segmentsOf(wanted.endsWith('/') ? wanted.slice(0, -1) : wanted);
  return parts.length <= segments.length && parts.every((part, i) => part === '*' || part === segments[i]);
}

export function isPart({ paths }: SharedPart, path: string): boolean {
  return paths.some((pattern) => fits(path, pattern));
}
