let next = 0;

/** A number that no other session of this program has: threads know their instances by it. */
export function nextInstance(): number {
  return next++;
}
