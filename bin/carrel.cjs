#!/usr/bin/env node
/*
 * Starts Carrel in a Node that can run it. Carrel needs Node 24; runtime/carried-node.cjs fetches one where the
 * machine's is older. Any old Node must be able to read this file, hence the old-style JavaScript.
 */
'use strict'

var fs = require('fs')
var os = require('os')
var path = require('path')
var url = require('url')
var carried = require('../runtime/carried-node.cjs')

/** The sources in a checkout, else their build. */
var MAIN = [path.join('src', 'main.ts'), path.join('dist', 'node', 'main.js')]
  .map((file) => path.join(__dirname, '..', file))
  .find((file) => fs.existsSync(file))

var restarted = process.env.CARREL_RESTARTED === '1'
delete process.env.CARREL_RESTARTED

if (carried.isNewEnough()) runHere()
else if (restarted)
  giveUp('CARREL_NODE names Node ' + process.version + ', and Carrel needs Node ' + carried.NEEDED + ' or newer.')
else findNode().then(runElsewhere, (error) => giveUp(error.message))

function runHere() {
  if (restarted && process.channel) {
    // The starter holds the other end of this channel: when it dies, even by kill -9, this process stops too instead
    // of running on unseen.
    process.once('disconnect', () => {
      process.kill(process.pid, 'SIGTERM')
    })
    process.channel.unref()
  }
  keepCompiled()
  import(url.pathToFileURL(MAIN).href).catch((error) => {
    console.error(error)
    process.exit(70)
  })
}

/**
 * Keeps Node's compile cache beside the packages, where only users who may change the code can write: the next start
 * is faster and takes 30 MB less. Also set in the environment, because threads read it there. A folder that cannot be
 * written keeps no cache; the started program then keeps its own with the data.
 */
function keepCompiled() {
  var node_module = require('module')
  var folder = process.env.NODE_COMPILE_CACHE || path.join(__dirname, '..', 'node_modules', '.cache', 'compiled')
  var kept = node_module.enableCompileCache(folder)
  if (kept.status !== node_module.constants.compileCacheStatus.FAILED) process.env.NODE_COMPILE_CACHE = folder
}

async function findNode() {
  return carried.findNode() || (await carried.fetchNode((line) => console.error(line)))
}

function runElsewhere(node) {
  // A terminal sends Ctrl-C to a whole group, whose processes cannot see who else had it. Only a reader of the terminal
  // must be in its group: any other child gets a group of its own, and each signal once, from here.
  var sharesGroup = process.stdin.isTTY || process.platform === 'win32'
  // Required here: at the top it would slow each start on a Node that is new enough.
  var child = require('child_process').spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: !sharesGroup,
    env: Object.assign({}, process.env, { CARREL_RESTARTED: '1' }),
  })
  child.on('error', (error) => {
    giveUp('The Node at ' + node + ' cannot be started (' + error.message + '). ' + carried.REMEDY)
  })
  ;['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].forEach((signal) => {
    process.on(signal, () => {
      // A second SIGINT would look like an impatient Ctrl-C.
      if (signal === 'SIGTERM' || !sharesGroup) child.kill(signal)
    })
  })
  child.on('exit', (code, signal) => {
    // A shell reports a death by signal n as 128 + n.
    process.exit(signal ? 128 + os.constants.signals[signal] : code)
  })
}

function giveUp(sentence) {
  console.error(sentence)
  process.exit(69)
}
