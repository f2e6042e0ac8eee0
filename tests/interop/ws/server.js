// Echoes every message as it came, and closes at "bye". Prints its port, and ends with its standard input.
// Usage: node server.js [compressed]
'use strict';

const { WebSocketServer } = require('ws');

const isCompressed = process.argv[2] === 'compressed';
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  maxPayload: 32 * 1024 * 1024,
  perMessageDeflate: isCompressed && { threshold: 0 },
  handleProtocols: (offered) => (offered.has('echo') ? 'echo' : false),
});

server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    if (!isBinary && data.toString() === 'bye') {
      socket.ping('before the end');
      socket.once('pong', () => socket.close(1000));
    } else {
      socket.send(data, { binary: isBinary });
    }
  });
});

server.on('listening', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
