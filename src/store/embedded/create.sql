create database gatekeeper
