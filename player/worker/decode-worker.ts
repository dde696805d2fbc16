// The worker's script.
import { DecodingService } from './decoding-service.js';
import { serveMethods, type Port } from './serve-methods.js';

// The page's types are known here, a worker's are not.
serveMethods(self as unknown as Port, new DecodingService().methods);
