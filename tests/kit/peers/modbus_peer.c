/* A Modbus TCP device on libmodbus, which shares no code with ours.
 *
 * Prints its port and answers on it:
 *   holding 0..39   i * 7 + 1
 *   holding 40..    floats and integers put there by libmodbus's own functions
 *   holding 60..63  refused: no such register       holding 100..  writable
 *   input 0..9      1000 + i
 * Unit 9 never answers, unit 10 answers as a gateway whose device is away, unit 11 answers late
 * (0.7 s), unit 12 answers with another transaction, unit 13 with half a frame, unit 14 closes
 * the connection, unit 15 answers for unit 16.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOLDING 200

static void fill(modbus_mapping_t *map) {
  for (int i = 0; i < 40; i++) map->tab_registers[i] = i * 7 + 1;
  /* libmodbus 3.1 names the orders by the bytes in memory: on a PC its "badc" is high word first. */
  modbus_set_float_badc(230.25f, map->tab_registers + 40);
  modbus_set_float(-12.5f, map->tab_registers + 42);
  int32_t up = 123456, down = -123456;
  int64_t large = 9007199254740991LL;
  MODBUS_SET_INT32_TO_INT16(map->tab_registers, 44, up);
  MODBUS_SET_INT32_TO_INT16(map->tab_registers, 46, down);
  MODBUS_SET_INT64_TO_INT16(map->tab_registers, 48, large);
  for (int i = 0; i < 10; i++) map->tab_input_registers[i] = 1000 + i;
}

static int touches_hole(const uint8_t *pdu) {
  int function = pdu[0], from = pdu[1] << 8 | pdu[2], count = pdu[3] << 8 | pdu[4];
  return function == 3 && from < 64 && from + count > 60;
}

/* The answer to a read of one register, sent by hand so that it can be wrong. */
static void answer_wrongly(int socket, const uint8_t *query, int unit) {
  uint8_t frame[11] = {query[0], query[1], 0, 0, 0, 5, query[6], query[7], 2, 0, 42};
  if (unit == 12) frame[1] ^= 0x55;
  if (unit == 15) frame[6] = 16;
  ssize_t sent = write(socket, frame, unit == 13 ? 6 : sizeof frame);
  (void)sent;
}

static int serve(modbus_t *ctx, modbus_mapping_t *map, int socket) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  modbus_set_socket(ctx, socket);
  int length = modbus_receive(ctx, query);
  if (length < 0) return -1;
  int unit = query[6];
  if (unit == 9 || length == 0) return 0;
  if (unit == 10) return modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_GATEWAY_TARGET);
  if (unit == 11) usleep(700000);
  if (unit == 12 || unit == 13 || unit == 15) {
    answer_wrongly(socket, query, unit);
    return 0;
  }
  if (unit == 14) return -1;
  if (touches_hole(query + 7))
    return modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
  return modbus_reply(ctx, query, length, map);
}

int main(int argc, char **argv) {
  int port = argc > 1 ? atoi(argv[1]) : 0;
  modbus_t *ctx = modbus_new_tcp("127.0.0.1", port);
  modbus_mapping_t *map = modbus_mapping_new(0, 0, HOLDING, 10);
  if (!ctx || !map) return 1;
  fill(map);
  int listener = modbus_tcp_listen(ctx, 128);
  if (listener < 0) {
    fprintf(stderr, "port %d: %s\n", port, modbus_strerror(errno));
    return 1;
  }
  struct sockaddr_in bound;
  socklen_t size = sizeof bound;
  getsockname(listener, (struct sockaddr *)&bound, &size);
  printf("%d\n", ntohs(bound.sin_port));
  fflush(stdout);
  fd_set open_sockets;
  FD_ZERO(&open_sockets);
  FD_SET(listener, &open_sockets);
  int highest = listener;
  for (;;) {
    fd_set ready = open_sockets;
    if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return 1;
    for (int socket = 0; socket <= highest; socket++) {
      if (!FD_ISSET(socket, &ready)) continue;
      if (socket == listener) {
        int joined = modbus_tcp_accept(ctx, &listener);
        FD_SET(joined, &open_sockets);
        if (joined > highest) highest = joined;
      } else if (serve(ctx, map, socket) < 0) {
        close(socket);
        FD_CLR(socket, &open_sockets);
      }
    }
  }
}
