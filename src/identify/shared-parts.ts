/** Hosts that carry other traffic as well: only the path of a request tells the part that is an AI service. */
import type { SharedPart } from '../flow.ts';
import type { Fields } from './models.ts';
import { segmentsOf } from './path-segments.ts';

/** A pattern's query is one parameter that the request must have, with any value if the pattern gives none. */
function fits(path: string, pattern: string): boolean {
  const [wanted = '', parameter] = pattern.split('?', 2);
  const query = path.slice(path.indexOf('?') + 1);
  if (
    parameter !== undefined &&
    !query.split('&').some((one) => one === parameter || one.startsWith(`${parameter}=`))
  ) {
    return false;
  }
  const segments = segmentsOf(path);
  const parts = segmentsOf(wanted);
  return parts.length <= segments.length && parts.every((part, i) => part === '*' || part === segments[i]);
}

/**
 * Whether a pattern covers the path and, if the part has marker fields, one of them is present.
 *
 * @param path origin-form.
 */
export function isPart(
  { paths, headers }: Pick<SharedPart, 'paths' | 'headers'>,
  path: string,
  fields: Fields,
): boolean {
  if (headers !== undefined && !headers.some(({ name, value }) => fields[name] === value)) return false;
  return paths.some((pattern) => fits(path, pattern));
}
