// Counts the bytes that a case asks for. Installed before the code under test is loaded, since some modules keep
// constructors of their own.

/** What was asked for since {@link AllocationMeter.reset}. */
export class AllocationMeter {
  /** Bytes of all typed arrays and buffers made by length, and of kernels' memory. */
  total = 0;
  /** Largest of them. */
  largest = 0;

  reset(): void {
    this.total = 0;
    this.largest = 0;
  }

  count(byteLength: number): void {
    this.total += byteLength;
    this.largest = Math.max(this.largest, byteLength);
  }
}

const ARRAYS = [
  ...[
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
  ],
  ...['Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
] as const;

const PAGE_BYTES = 65536;

/** Replaces the global constructors by ones that count. Views of a buffer cost nothing and are not counted. */
export function installAllocationMeter(): AllocationMeter {
  const meter = new AllocationMeter();
  for (const name of ARRAYS) {
    const Original = globalThis[name] as typeof Uint8Array;
    const Counting = new Proxy(Original, {
      construct(target, given: unknown[], newTarget) {
        const made = Reflect.construct(target, given, newTarget) as Uint8Array;
        if (!(given[0] instanceof ArrayBuffer || given[0] instanceof SharedArrayBuffer)) {
          meter.count(made.byteLength);
        }
        return made;
      },
    });
    Object.assign(globalThis, { [name]: Counting });
  }
  const Buffer = globalThis.ArrayBuffer;
  globalThis.ArrayBuffer = new Proxy(Buffer, {
    construct(target, given: unknown[], newTarget) {
      const made = Reflect.construct(target, given, newTarget) as ArrayBuffer;
      meter.count(made.byteLength);
      return made;
    },
  });
  const { Memory } = WebAssembly;
  WebAssembly.Memory = new Proxy(Memory, {
    construct(target, given: [WebAssembly.MemoryDescriptor], newTarget) {
      meter.count(given[0].initial * PAGE_BYTES);
      return Reflect.construct(target, given, newTarget) as WebAssembly.Memory;
    },
  });
  const { grow } = Memory.prototype;
  Memory.prototype.grow = function (pages) {
    meter.count(pages * PAGE_BYTES);
    return grow.call(this, pages);
  };
  return meter;
}
